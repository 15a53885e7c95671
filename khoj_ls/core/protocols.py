"""The doors through which content processors, tokenizers and models come in, built-in ones and plugins alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import ParsedFile


@dataclass(frozen=True)
class Needs:
    """What must be installed for a content processor to work."""

    modules: tuple[str, ...]
    """Importable names."""
    extra: str
    """The extra of khoj-ls, or the package of others, that brings them, as pip is told: `khoj-ls[pdf]`."""


@runtime_checkable
class ContentProcessor(Protocol):
    """Turns the bytes of one file into entries. Pure: no disk, no network, no state. Never raises on content.

    It may also have these attributes: `binary`, True where it reads files that are no text; `slow`, True where a file may take
    it long, which is then read after all others; `path_matters`, True where it reads the same bytes differently under another
    path; `needs` (Needs), without which its files are refused with the command that installs it; `version` (int), raised when
    it reads differently than before, so that its files are read again.
    """

    name: str
    """Content type it makes: `markdown`, `org`, `text`."""
    extensions: tuple[str, ...]
    """Lower-case suffixes with the dot that it serves."""
    priority: int
    """Among processors for one extension the highest wins; built-ins have 0."""

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` (relative, posix) may decide a dialect but never reaches the embedded text."""
        ...


class Tokenizer(Protocol):
    """Counts and cuts text in the tokens of one model."""

    max_tokens: int
    """Longest input of the model, special tokens included."""
    special_tokens: int
    """How many tokens the model adds to every input (`[CLS]`, `[SEP]`)."""
    id: str
    """Names the tokenizer by content: equal ids cut every text alike."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character ranges of the tokens of `text`, in order, without special tokens, never truncated."""
        ...

    def count(self, texts: Sequence[str]) -> list[int]:
        """Token counts of `texts`, without special tokens, never truncated."""
        ...


@runtime_checkable
class EmbeddingModel(Protocol):
    """A bi-encoder of a plugin: text in, vectors out. Two threads may call it at once: one for notes, one for queries.

    It may also have `tokenizer` (str), the path of its tokenizer.json: notes are then cut by its own tokens, else by an
    estimate that stays below `max_tokens` whatever the tokens are.
    """

    @property
    def id(self) -> str:
        """Names the weights and everything that changes a vector (revision, prefixes, pooling): vectors are stored under it."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest input, special tokens and prefix included."""
        ...

    @property
    def remote(self) -> str:
        """Where texts are sent; empty for a model on this machine."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Vectors of `texts`, in order and of any length but zero. Document prefix added by the model. May raise anything."""
        ...

    def embed_query(self, text: str) -> Sequence[float]:
        """Vector of a search query. Query prefix added by the model. May raise anything."""
        ...


class RerankModel(Protocol):
    """A cross-encoder: a query and a text in, read together, a score out."""

    @property
    def remote(self) -> str:
        """Where texts are sent; empty for a model on this machine. Raises ModelError."""
        ...

    def score(
        self, query: str, texts: Sequence[str], token: CancelToken | None = None, timeout: float | None = None
    ) -> list[float]:
        """How well each of `texts` answers `query`, 0..1, in order.

        Stops soon after `token` is cancelled. Raises ModelError, also after about `timeout` seconds; Cancelled.
        """
        ...
