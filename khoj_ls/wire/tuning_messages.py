"""What a search says of itself on request, and what there is to choose from; see `messages` for what all of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Source:
    """What one retriever thought of a hit."""

    rank: int
    """1-based rank in that retriever's own list."""
    score: float
    """That retriever's own score, 0..1: the share of the query's words that stand there, the cosine, the cross-encoder's."""


@dataclass(frozen=True)
class Step:
    """One thing that moved a hit, or might have."""

    name: str
    """note_share, names, word_for_word, rerank, type, recency, diversity, cap, threshold, or behind."""
    before: float
    """The hit's score before it, 0..1."""
    after: float
    """And after it."""
    why: str
    """What happened, for people."""
    numbers: dict[str, float] = field(default_factory=dict)
    """What it was made of: weight, factor, age_days, cosine, penalty, nearest (the better hit, from 1), number, most."""


@dataclass(frozen=True)
class Explanation:
    """How a hit came to stand where it does."""

    retrievers: dict[str, Source]
    """How it was seen: the passage by lexical, dense and rerank, its note by lexical_note, dense_note and names."""
    fused: float
    """Its score when all of them were put together."""
    rank: int
    """1-based place it had then, among all candidates."""
    steps: list[Step]
    """What moved it, first things first."""
    score: float
    """Its score as it is shown."""
    profile: str
    """The profile in use."""
    numbers: dict[str, Any]
    """All numbers of it, with those of the question: see khoj/choices."""
    embedded_as: str | None = None
    """query or passage: what the query was embedded as, which decides about the prefix that some models want; null where it
    was not, as only words were looked for or no model was ready."""


@dataclass(frozen=True)
class ChoicesParams:
    """List what a question can choose from."""

    vault: str | None = None
    """Folder or URI of the vault whose settings hold; the session's first when absent."""


@dataclass(frozen=True)
class ProfileChoice:
    """A search profile: a named set of the numbers that order hits."""

    name: str
    """What `profile` of khoj/search calls it."""
    about: str
    """What it is for; empty for the user's own."""
    source: str
    """built-in or settings."""
    base: str | None
    """The profile that it differs from, if it is based on one."""
    numbers: dict[str, Any]
    """All its numbers, as docs/tuning.md explains them."""
    sets: list[str]
    """Names of the numbers that it sets itself."""


@dataclass(frozen=True)
class PersonaChoice:
    """Who can answer."""

    name: str
    """What `persona` of khoj/chat calls it."""
    about: str
    """One line about it."""
    source: str
    """built-in, or the file that it stands in."""
    greeting: str = ""
    """What it says first; may be empty."""


@dataclass(frozen=True)
class ModelChoice:
    """A chat model that can be asked."""

    name: str
    """What `model` of khoj/chat calls it: `PROVIDER/NAME`, or a preset of the user's own."""
    host: str
    """The service; empty: it runs in this program."""
    remote: bool
    """Whether that is another machine than this one."""
    window: int
    """Most tokens of question and answer together."""
    vision: bool
    """Whether it sees pictures."""
    key: str
    """Whether its key is there: there or missing; empty where it wants none."""
    installed: bool | None = None
    """Whether a service of this machine has it; null where that is not known."""


@dataclass(frozen=True)
class CommandChoice:
    """A slash command of a chat."""

    name: str
    """Without the slash."""
    about: str
    """One line about it."""
    usage: str = ""
    """What may follow it."""


@dataclass(frozen=True)
class ChoicesResult:
    """What there is to choose from."""

    profiles: list[ProfileChoice]
    """Search profiles, the built-in ones first. One whose base there is not is left out."""
    profile: str
    """The one that holds where a question names none."""
    personas: list[PersonaChoice] = field(default_factory=list)
    """Who can answer a chat."""
    persona: str = ""
    """The one that does where a chat names none."""
    models: list[ModelChoice] = field(default_factory=list)
    """Chat models: the user's presets, the known ones, and what services of this machine have."""
    model: str = ""
    """The one that is asked where neither a chat nor its persona names one; empty: none, answers are passages."""
    commands: list[CommandChoice] = field(default_factory=list)
    """What a message of a chat can begin with."""
