"""Slash commands of a chat: what one is told, and what it makes of a turn. The door for built-in commands and plugins alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Neighbour:
    """A place that a note is tied to: lines `line`..`end_line` (from 1, inclusive) of the note at `path`."""

    path: str
    """Relative to the vault, posix."""
    title: str
    line: int
    end_line: int
    words: str = ""
    """The line of a link as it stands in the note, or the beginning of a passage."""


@dataclass(frozen=True)
class Neighbours:
    """What a note is tied to, by links and by meaning."""

    title: str
    path: str = ""
    line: int = 1
    """A line that stands for the note: of its first private section, where it has one, so that what is told of the note is kept
    as something private."""
    incoming: tuple[Neighbour, ...] = ()
    """Places that link to it, each where its link stands."""
    outgoing: tuple[Neighbour, ...] = ()
    """Notes that it links to, each once."""
    broken: tuple[str, ...] = ()
    """Targets of its links that lead nowhere."""
    related: tuple[Neighbour, ...] = ()
    """Passages near in meaning in notes that it has no link to."""


@dataclass(frozen=True)
class Asked:
    """What a slash command is given."""

    words: str
    """What follows the command, without blanks around it."""
    notes: tuple[str, ...] = ()
    """Paths of the notes among the context that was chosen (of a selection: its note), in order, each once."""
    context: bool = False
    """Whether any context was chosen, notes or not."""
    neighbours: Callable[[str], Neighbours] | None = None
    """Tells what the note at a path is tied to; None where there are no links to ask. Raises UsageError for no note."""
    commands: Mapping[str, SlashCommand] | None = None
    """All commands by name."""
    personas: Mapping[str, str] | None = None
    """All personas: name, and a line about each."""


@dataclass(frozen=True)
class Plan:
    """How a turn is answered."""

    message: str
    """What the user says, without the command: what is searched for, and what the model is asked."""
    command: str = ""
    """Name of the command; empty where there was none."""
    search: bool = True
    """Whether the notes are searched."""
    context: bool = True
    """Whether passages are given to the model at all; without, the context that was chosen is left out too."""
    only_notes: bool = False
    """The answer may come from the passages alone: where there are none, `nothing` is the answer and no model is asked."""
    whole_notes: bool = False
    """Whole notes are given, of the context that was chosen and of what is found, as far as the budget goes."""
    instruction: str = ""
    """What the model is told for this turn beside its persona."""
    local_answer: str | None = None
    """The whole answer, where no model is needed. `[1]` in it means the first of `places`."""
    places: tuple[tuple[str, int, int], ...] = ()
    """What `local_answer` cites: path, first and last line. They are the sources of the turn, in this order."""
    nothing: str = ""
    """The answer where `only_notes` holds and there is no passage."""


@dataclass(frozen=True)
class SlashCommand:
    """A command that begins a message: `/name words`."""

    name: str
    """Lower-case letters, digits, `-` and `_`, without the slash."""
    about: str
    """One line for lists."""
    plan: Callable[[Asked], Plan]
    """What it makes of a turn. Raises UsageError for words it cannot use. Runs before anything is searched or sent."""
    usage: str = ""
    """What may follow: `[words]`."""
