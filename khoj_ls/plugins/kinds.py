"""What a plugin can bring beside content processors, slash commands and personas: plain values with a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from khoj_ls.core.chat import ChatModel
from khoj_ls.core.protocols import EmbeddingModel, RerankModel


@dataclass(frozen=True)
class QueryFilter:
    """A filter `name:value` of the query language, written in terms of the built-in ones."""

    name: str
    """2 to 20 lower-case letters."""
    about: str
    """What it keeps, on one line."""
    query: Callable[[str], str]
    """What `name:value` stands for: a query such as `tag:work -todo:DONE`, from the value without quotes. Raises UsageError
    for a value that is none."""


@dataclass(frozen=True)
class EmbeddingChoice:
    """An embedding model that `embedding.model` may name."""

    name: str
    """Lower-case letters, digits, `-` and `_`."""
    about: str
    make: Callable[[], EmbeddingModel]
    """Makes it, in the encoder's process, when it is first wanted. May raise anything."""


@dataclass(frozen=True)
class RerankerChoice:
    """A reranker that `rerank.model` may name."""

    name: str
    """Lower-case letters, digits, `-` and `_`."""
    about: str
    make: Callable[[], RerankModel]
    """Makes it, once, when it is first wanted. Raises ModelError. Its `score` runs in a thread of the daemon."""


@dataclass(frozen=True)
class ChatProvider:
    """Something that has chat models."""

    name: str
    """Lower-case letters, digits, `-` and `_`: the PROVIDER of `PROVIDER/NAME`."""
    about: str
    make: Callable[[str], ChatModel]
    """Makes the model of that NAME, when it is chosen. Raises UsageError for a name there is not, ModelError. The model's
    `remote` and `host` say where messages go: the user's yes is asked by them, and private notes are kept back by them."""
    models: tuple[str, ...] = ()
    """Names for lists to choose from."""


@dataclass(frozen=True)
class CliVerb:
    """A verb of `khoj-ls`."""

    name: str
    """Lower-case letters, digits and `-`."""
    about: str
    """One line for the help."""
    run: Callable[[Sequence[str]], int | None]
    """Runs it with the arguments behind the verb, `--help` among them; returns the exit status, None for 0. Raises KhojErrors
    for what the user should be told."""
