"""khoj_ls: search your notes by meaning and by words, in your editor.

As a library: `from khoj_ls import OpenVaults, SearchRequest`. Each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from khoj_ls.config.settings import Settings
    from khoj_ls.core.errors import KhojError
    from khoj_ls.search.types import RelatedRequest, SearchHit, SearchRequest, SearchResult
    from khoj_ls.vault import Status, Vault
    from khoj_ls.vaults import OpenVaults

__version__ = "0.1.0"

__all__ = [
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

_HOMES = MappingProxyType(
    {
        "KhojError": "khoj_ls.core.errors",
        "OpenVaults": "khoj_ls.vaults",
        "RelatedRequest": "khoj_ls.search.types",
        "SearchHit": "khoj_ls.search.types",
        "SearchRequest": "khoj_ls.search.types",
        "SearchResult": "khoj_ls.search.types",
        "Settings": "khoj_ls.config.settings",
        "Status": "khoj_ls.vault",
        "Vault": "khoj_ls.vault",
    }
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
