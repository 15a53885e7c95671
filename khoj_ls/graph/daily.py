"""Daily notes: where the vault's tool keeps the note of a day, what a new one says, and which came before and after."""

from __future__ import annotations

import posixpath
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from khoj_ls.graph.dates import written_day
from khoj_ls.graph.edits import Notes
from khoj_ls.graph.logseq_template import PROPERTY, filled, template_text
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.text import split_suffix
from khoj_ls.store.facets import paths_with_property

_DAY = re.compile(r"(\d{4})([-_.]?)(\d{2})\2(\d{2})")
_FARTHEST = 3660
"""Days that are looked through for the note before and after."""
_VARIABLE = re.compile(r"\{\{[ \t]*(date|time|title)[ \t]*(?::[ \t]*([^}]+?)[ \t]*)?\}\}")


@dataclass(frozen=True)
class Journal:
    """How a vault names its daily notes."""

    conventions: Conventions
    folder: str
    name: str
    """In the tool's date format."""
    suffix: str

    def path(self, day: datetime) -> str:
        """Path of the note of a day, relative to the vault."""
        name = written_day(day, self.name, self.conventions.tool)
        if self.conventions.tool == "dendron":
            return posixpath.join(next(iter(self.conventions.vaults), ""), f"{self.folder}.{name}{self.suffix}")
        return posixpath.join(self.folder, name + self.suffix)


def journal_of(conventions: Conventions, paths: Iterable[str]) -> Journal:
    """The journal of a vault that holds notes at `paths`: as its tool is set, else as the notes named by days are."""
    suffix = ".org" if conventions.format == "org" else ".md"
    if conventions.journal_name:
        return Journal(conventions, conventions.journals, conventions.journal_name, suffix)
    kinds: Counter[tuple[str, str, str]] = Counter()
    for path in paths:
        folder, base = posixpath.split(path)
        stem, ending = split_suffix(base)
        if found := _DAY.fullmatch(stem):
            kinds[folder, found[2], ending] += 1
    folder, mark, ending = kinds.most_common(1)[0][0] if kinds else ("daily", "-", suffix)
    return Journal(replace(conventions, tool="plain"), folder, mark.join(("YYYY", "MM", "DD")), ending)


def day_of(journal: Journal, path: str, near: datetime) -> datetime | None:
    """The day whose note is at `path`; None when it is no daily note, or one of ten years from `near`."""
    for distance in range(_FARTHEST):
        for day in {near - timedelta(distance), near + timedelta(distance)}:
            if journal.path(day) == path:
                return day
    return None


def neighbour(journal: Journal, paths: Iterable[str], day: datetime, step: int) -> str | None:
    """The daily note that comes next after `day` (`step` 1), or came before it (-1); None when there is none."""
    known = set(paths)
    days = (day + timedelta(step * distance) for distance in range(1, _FARTHEST))
    return next((path for path in map(journal.path, days) if path in known), None)


def template_of(journal: Journal, notes: Notes, connection: sqlite3.Connection) -> str | None:
    """The text of the template that the tool's settings name for daily notes; None where they name none that there is.

    Logseq's is a block somewhere in the notes; one that is written in the other format than the journal is not taken.
    """
    name = journal.conventions.journal_template
    if not name:
        return None
    if journal.conventions.tool != "logseq":
        found = notes.read(name) or notes.read(name + journal.suffix)
        return found.text if found else None
    for path in paths_with_property(connection, PROPERTY):
        note = notes.read(path) if split_suffix(path)[1].lower() == journal.suffix else None
        text = template_text(note.text, name, org=journal.suffix == ".org") if note else None
        if text is not None:
            return text
    return None


def new_daily(journal: Journal, day: datetime, template: str | None, now: datetime | None = None) -> str:
    """What the new note of a day says: the template, its variables filled in, or what the tool itself would write.

    `now` is when that is asked, where it is not on that day: a template may name both.
    """
    path = journal.path(day)
    stem = split_suffix(posixpath.basename(path))[0]
    conventions = journal.conventions
    if template and conventions.tool == "logseq":
        return filled(template, conventions, written_day(day, conventions.journal_title, "logseq"), now or day)
    if template is not None and conventions.tool != "logseq":
        return _VARIABLE.sub(lambda found: _filled(found, stem, day), template)
    if conventions.tool == "dendron":
        stamp = int(day.timestamp() * 1000)
        title = day.date().isoformat()
        return f"---\nid: {stem}\ntitle: '{title}'\ndesc: ''\nupdated: {stamp}\ncreated: {stamp}\n---\n\n"
    if conventions.tool == "logseq":
        return "* \n" if journal.suffix == ".org" else "- \n"
    if journal.suffix == ".org":
        return f"#+title: {stem}\n\n"
    return "" if conventions.tool == "obsidian" else f"# {stem}\n\n"


def _filled(found: re.Match[str], title: str, day: datetime) -> str:
    if found[1] == "title":
        return title
    form = found[2] or ("HH:mm" if found[1] == "time" else "YYYY-MM-DD")
    return written_day(day, form, "obsidian")
