"""What content processors and tokenizers mean to the indexer: what it must know of them, and what a worker does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from khoj_ls.core.protocols import ContentProcessor, Tokenizer
from khoj_ls.core.types import Chunk, Entry, ParsedFile, Problem
from khoj_ls.indexing.pre_index import pre_indexed
from khoj_ls.plugins.events import HookCall
from khoj_ls.plugins.manager import ordered_plugins


class Registry(Protocol):
    """Which content processor reads which file."""

    def extensions(self) -> frozenset[str]:
        """Lower-case suffixes, with the dot, that some processor reads."""
        ...

    def for_path(self, path: str) -> ContentProcessor | None:
        """The processor that reads the file at `path`; None when there is none."""
        ...

    def reader(self, path: str) -> str:
        """Names what would read the file at `path` now: another name means that it would be read differently."""
        ...


@dataclass(frozen=True)
class FileTypes:
    """What the word path must know of content processors, without running any."""

    type_of: Callable[[str], str]
    """Content type of a path, as stored."""
    reads_binary: Callable[[str], bool]
    """Whether the processor of a path reads files that are no text."""
    slow: Callable[[str], bool]
    """Whether the processor of a path may take long for a file: it is read after all others."""
    reader: Callable[[str], str]
    """Names what would read the file at a path now."""
    same_reading: Callable[[str, str], bool]
    """Whether a file moved from the first path to the second is read as before."""


def file_types(registry: Registry) -> FileTypes:
    """What the word path asks about paths.

    Attributes that a processor may have beside those of the protocol: `binary`, it reads files that are no text; `slow`, it may
    take long for one; `path_matters`, it reads the same bytes differently under another path.
    """

    def type_of(path: str) -> str:
        processor = registry.for_path(path)
        return processor.name if processor else "unknown"

    def reads_binary(path: str) -> bool:
        return bool(getattr(registry.for_path(path), "binary", False))

    def slow(path: str) -> bool:
        return bool(getattr(registry.for_path(path), "slow", False))

    def same_reading(old: str, new: str) -> bool:
        processor = registry.for_path(new)
        return registry.for_path(old) is processor and not getattr(processor, "path_matters", False)

    return FileTypes(type_of, reads_binary, slow, registry.reader, same_reading)


class ContentTools:
    """The registered content processors, and the chunker with one tokenizer at a time."""

    def __init__(self, order: str, on_read: Callable[[], None]) -> None:
        """Load the processors and the plugins of `order`; a tokenizer is loaded with the first file to cut.

        `on_read` is called when a processor has got on with a file that takes long.
        """
        from khoj_ls.content.registry import default_registry

        self._hook_calls: list[HookCall] = []
        self._plugins, ordered = ordered_plugins(order, self._hook_calls.append)
        self._vault = Path(ordered.vault)
        self._registry = default_registry(self._plugins, on_read=on_read)
        self._tokenizer: Tokenizer | None = None
        self._loaded = ("", 0)

    def parse(self, data: bytes, path: str, without_hooks: Sequence[str] = ()) -> ParsedFile:
        """What the processor in charge makes of a file, and the plugins but those of `without_hooks`."""
        from khoj_ls.content.registry import parse_file

        if self._registry.problems and self._registry.for_path(path) is None:
            told = "; ".join(f"{each.plugin}: {each.error}" for each in self._registry.problems)
            return ParsedFile(
                "", None, (), problems=(Problem("error", "plugin", f"what reads it could not be loaded ({told})"),)
            )
        parsed = parse_file(self._registry, data, path)
        return pre_indexed(self._plugins.hooks, self._vault, path, parsed, without_hooks)

    def hook_calls(self) -> tuple[HookCall, ...]:
        """How the hooks of plugins did since this was asked last."""
        told = tuple(self._hook_calls)
        self._hook_calls.clear()
        return told

    def cut(self, title: str | None, entries: Sequence[Entry], tokenizer: str, max_tokens: int) -> list[Chunk]:
        """The chunks of a file, by the tokenizer at `tokenizer`."""
        from khoj_ls.content.chunk import chunk_file

        return chunk_file(title, entries, self._load(tokenizer, max_tokens))

    def _load(self, path: str, max_tokens: int) -> Tokenizer:
        from khoj_ls.embed.tokenizer import load_tokenizer

        if self._tokenizer is None or self._loaded != (path, max_tokens):
            self._tokenizer, self._loaded = load_tokenizer(path, max_tokens), (path, max_tokens)
        return self._tokenizer


def content_tools(order: str = "", on_read: Callable[[], None] = lambda: None) -> ContentTools:
    """What parser workers work with unless told otherwise, as `ContentTools` is made."""
    return ContentTools(order, on_read)
