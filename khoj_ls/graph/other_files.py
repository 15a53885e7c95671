"""What the link network asks about the files of a vault that are no notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from khoj_ls.links.target import LinkTarget


class OtherFiles(Protocol):
    """The files of the vault that are no notes: what images and documents are linked to."""

    def find(self, target: LinkTarget, source: str, tried: Sequence[str]) -> str | None:
        """Path of the file that a link in the note at `source` means; `tried` are the paths it may stand for."""
        ...

    def inside(self, path: str) -> str | None:
        """An absolute path (or one that begins with `~`) relative to the vault; None when it lies outside."""
        ...


class NoFiles:
    """A vault of nothing but notes, wherever it lies."""

    def inside(self, path: str) -> str | None:
        """Find everything outside."""
        return None

    def find(self, target: LinkTarget, source: str, tried: Sequence[str]) -> str | None:
        """Find nothing."""
        return None
