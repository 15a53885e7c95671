"""What goes to a parser worker and comes back, as MessagePack."""

from __future__ import annotations

import msgspec

from khoj_ls.core.types import Chunk, Entry, ParsedFile
from khoj_ls.plugins.events import HookCall


class Parse(msgspec.Struct, frozen=True, tag="parse"):
    """Parse the bytes of one file."""

    path: str
    data: bytes
    without_hooks: tuple[str, ...] = ()
    """Plugins whose khoj_pre_index is left out."""


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """Cut the entries of one file into chunks."""

    title: str | None
    entries: tuple[Entry, ...]
    tokenizer: str
    """Folder or file that holds the model's tokenizer."""
    max_tokens: int


Work = Parse | Cut


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one piece of work, in the order in which the pieces were sent."""

    parsed: ParsedFile | None = None
    chunks: tuple[Chunk, ...] | None = None
    error: str | None = None
    """What went wrong inside the worker, as one clause."""
    alive: bool = False
    """The answer is still to come: the worker is at a file that takes long, and has got on with it."""
    hook_calls: tuple[HookCall, ...] = ()
    """How the hooks of plugins did on the way; the answer holds without those that failed."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """First message of a worker: it is up."""

    pid: int
