"""One vault: the composition root, and the face of the library."""

from khoj_ls.vault.status import Status
from khoj_ls.vault.vault import Vault

__all__ = ["Status", "Vault"]
