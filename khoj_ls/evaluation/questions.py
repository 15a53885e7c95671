"""People's own questions about their notes: a file of {query, path[, line | heading]}, as JSON lines, CSV or TSV.

`path` is relative to the vault, or absolute within it. A `line` (1-based) or a `heading` says where in the note the answer
stands; without either any passage of the note will do. Several rows of one query are several right answers. CSV and TSV have a
header that names the columns, in any order; other columns, and other keys of JSON, are passed over.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khoj_ls.content.registry import ProcessorRegistry, default_registry, parse_file
from khoj_ls.core.errors import UsageError
from khoj_ls.core.types import Entry
from khoj_ls.evaluation.lines import fault, json_objects, numbered_lines, shown, well_formed

_COLUMNS = ("query", "path", "line", "heading")
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True)
class Answer:
    """Where the answer to a question stands."""

    path: str
    """Relative to the vault, posix."""
    lines: tuple[int, int] | None
    """First and last line; a passage that touches them holds the answer. None: the whole note."""
    name: str
    """As people name it: `note.md`, `note.md:12`, `note.md#Heading`."""

    def stands_in(self, path: str, first: int, last: int) -> bool:
        """Whether a passage of the note at `path` holds it."""
        return path == self.path and (self.lines is None or (first <= self.lines[1] and last >= self.lines[0]))


@dataclass(frozen=True)
class Question:
    """A query and its right answers."""

    query: str
    answers: tuple[Answer, ...]


def read_questions(file: Path, vault: Path) -> list[Question]:
    """The questions of a file about the notes of a vault, in order. Raises UsageError that names the file and line."""
    registry = default_registry()
    answers: dict[str, list[Answer]] = {}
    for number, row in _rows(file):
        query = row.get("query")
        if not isinstance(query, str) or not query.strip():
            raise fault(file, number, "query is missing" if not query else f"query is {query!r}, and should be a text")
        answer = _answer(file, number, row, vault, registry)
        known = answers.setdefault(well_formed(query.strip()), [])
        if answer not in known:
            known.append(answer)
    if not answers:
        raise UsageError(f"{file} holds no question")
    return [Question(query, tuple(right)) for query, right in answers.items()]


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line and values of each row, whatever the form: by the name of the file, else by what its first line looks like."""
    first = next(numbered_lines(file), None)
    if first is None:
        raise UsageError(f"{file} is empty")
    suffix = file.suffix.lower()
    if suffix in _JSON_SUFFIXES or (suffix not in (".csv", ".tsv") and first[1].lstrip().startswith("{")):
        return json_objects(file)
    return _table(file, "\t" if suffix == ".tsv" or (suffix != ".csv" and "\t" in first[1]) else ",")


def _table(file: Path, delimiter: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    lines = list(numbered_lines(file))
    reader = csv.reader((f"{line}\n" for _, line in lines), delimiter=delimiter, strict=True)
    header: list[str] = []
    used = 0
    try:
        for fields in reader:
            number, used = lines[used][0], reader.line_num
            if not header:
                header = [field.strip().lower() for field in fields]
                _check_header(file, number, header)
            elif len(fields) != len(header):
                raise fault(file, number, f"{len(fields)} columns, and the header has {len(header)}")
            else:
                yield number, {name: value.strip() for name, value in zip(header, fields, strict=True)}
    except csv.Error as error:
        raise fault(file, lines[min(used, len(lines) - 1)][0], f"this is no row of a table: {error}") from error


def _check_header(file: Path, number: int, header: list[str]) -> None:
    missing = [name for name in _COLUMNS[:2] if name not in header]
    if missing:
        raise fault(file, number, f"the header names no {' and no '.join(missing)}; columns are {', '.join(_COLUMNS)}")


def _answer(file: Path, number: int, row: Mapping[str, Any], vault: Path, registry: ProcessorRegistry) -> Answer:
    path = _path(file, number, row.get("path"), vault)
    line, heading = row.get("line"), row.get("heading")
    if line in (None, "") and heading in (None, ""):
        return Answer(path, None, path)
    if line not in (None, "") and heading not in (None, ""):
        raise fault(file, number, "line and heading are both given: one says where the answer stands")
    entries = parse_file(registry, (vault / path).read_bytes(), path).entries
    if heading in (None, ""):
        at = _line(file, number, line, max((entry.span.end_line for entry in entries), default=0), path)
        return Answer(path, (at, at), f"{path}:{at}")
    if not isinstance(heading, str):
        raise fault(file, number, f"heading is {heading!r}, and should be a text")
    section = _section(entries, heading)
    if section is None:
        raise fault(file, number, f"there is no heading {shown(heading)} in {path}")
    return Answer(path, section[1], f"{path}#{section[0]}")


def _path(file: Path, number: int, value: Any, vault: Path) -> str:
    """The note, relative to the vault."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise fault(file, number, "path is missing" if not value else f"path is {value!r}, and should name a note")
    root = Path(os.path.realpath(vault))
    note = Path(os.path.normpath(root / Path(value).expanduser()))
    if root not in note.parents:
        note = Path(os.path.realpath(note))
    if root not in note.parents:
        raise fault(file, number, f"{value} is not in the vault {vault}")
    if not note.is_file():
        raise fault(file, number, f"there is no note {value} in {vault}")
    return note.relative_to(root).as_posix()


def _line(file: Path, number: int, value: Any, last: int, path: str) -> int:
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise fault(file, number, f"line is {value!r}, and should be a number from 1")
    if int(text) > last:
        raise fault(file, number, f"line is {text}, and {path} has {last} lines")
    return int(text)


def _section(entries: tuple[Entry, ...], heading: str) -> tuple[str, tuple[int, int]] | None:
    """The first heading that is called so, and the first and last line of its section, those below it included."""
    wanted = {_folded(heading), _folded(heading.lstrip("#* "))}
    for at, entry in enumerate(entries):
        if entry.level > 0 and _folded(entry.heading) in wanted:
            last = entry.span.end_line
            for below in entries[at + 1 :]:
                if below.level <= entry.level:
                    break
                last = below.span.end_line
            return entry.heading, (entry.span.line, last)
    return None


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
