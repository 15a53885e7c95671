"""khoj_ls: search your notes by meaning and by words, in your editor.

As a library: `from khoj_ls import OpenVaults, SearchRequest`. Each name is imported when it is first used.
"""

import os

# Libraries report their use to their makers unless this is set before they are imported: ONNX Runtime (since 1.29, native code
# in every process that opens a model), the client of the Hugging Face hub. Nothing leaves the machine, this does not either.
for _silenced in ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
    os.environ[_silenced] = "1"

TYPE_CHECKING = False  # type checkers know the name; importing typing would cost the relay milliseconds
if TYPE_CHECKING:
    from khoj_ls.chat.types import ChatRequest
    from khoj_ls.config.settings import Settings
    from khoj_ls.core.errors import KhojError
    from khoj_ls.search.types import RelatedRequest, SearchHit, SearchRequest, SearchResult
    from khoj_ls.vault import Status, Vault
    from khoj_ls.vaults import OpenVaults

__version__ = "0.1.0"

__all__ = [
    "ChatRequest",
    "KhojError",
    "OpenVaults",
    "RelatedRequest",
    "SearchHit",
    "SearchRequest",
    "SearchResult",
    "Settings",
    "Status",
    "Vault",
]

_HOMES = (
    ("khoj_ls.chat.types", ("ChatRequest",)),
    ("khoj_ls.config.settings", ("Settings",)),
    ("khoj_ls.core.errors", ("KhojError",)),
    ("khoj_ls.search.types", ("RelatedRequest", "SearchHit", "SearchRequest", "SearchResult")),
    ("khoj_ls.vault", ("Status", "Vault")),
    ("khoj_ls.vaults", ("OpenVaults",)),
)


def __getattr__(name: str) -> object:
    from importlib import import_module

    for module, names in _HOMES:
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
