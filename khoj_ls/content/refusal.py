"""How a content processor says that it cannot read a file at all."""

from __future__ import annotations


class Refused(Exception):
    """A file that is not indexed, with a short stable code (`encrypted`, `damaged`, `too-large`, `no-text`) and what to do."""

    def __init__(self, code: str, message: str) -> None:
        """`message`: one sentence for the user."""
        super().__init__(message)
        self.code = code
