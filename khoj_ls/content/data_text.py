"""JSON, YAML and TOML as text, in the lines of the file: they are cut where a key or element of the outermost level begins.

They are scanned, not loaded: whatever they nest, repeat or refer to costs nothing, and what is no valid data is read as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from khoj_ls.content.data_json import JsonPart, json_lines
from khoj_ls.content.outlined import Head, outlined, with_pieces
from khoj_ls.core.text import decode_source, text_lines
from khoj_ls.core.types import ParsedFile, Problem

MOST_CHARS = 2_000_000
"""A longer one is no note but data: its beginning says what it is about."""
_LINES_PER_ENTRY = 30
_CHARS_PER_ENTRY = 1200
_LONGEST_HEADING = 120


@dataclass(frozen=True)
class Cut:
    """A line at which the text may be cut."""

    line: int
    """1-based."""
    key: str = ""
    """The key that begins there; empty for an element of a list."""
    level: int = 0
    """1 for what always begins an entry of its own, as a table in TOML does."""


@dataclass(frozen=True)
class Scanned:
    """What is found in a text."""

    shown: list[str]
    """A readable line for each line."""
    cuts: list[Cut]
    title: str | None = None
    parts: Mapping[int, Sequence[JsonPart]] = field(default_factory=dict)
    """Of long lines, by line: the parts of each."""


class DataProcessor:
    """Reads one of the formats: an entry is some keys or elements of the outermost level that stand together."""

    priority = 0
    version = 2

    def __init__(self, name: str, extensions: tuple[str, ...], scan: Callable[[Sequence[str]], Scanned]) -> None:
        """`scan` is given the lines of a text, without their line breaks."""
        self.name = name
        self.extensions: tuple[str, ...] = extensions
        self._scan = scan

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        text, problems = decode_source(data)
        if len(text) > MOST_CHARS:
            lines = text_lines(text[:MOST_CHARS])
            text = "".join(lines[:-1] or lines)
            behind = len(lines[:-1] or lines) + 1
            what = f"only the first {MOST_CHARS // 1_000_000} MB are read, not what is behind line {behind - 1:,}: split it"
            problems = (*problems, Problem("warning", "too-large", what, behind))
        whole = text_lines(text)
        lines = [line.rstrip("\r\n") for line in whole]
        scanned = self._scan(lines)
        heads = with_pieces(_heads(scanned, lines), _pieces(scanned, whole), len(lines))
        return outlined(self.name, scanned.title, text, heads, shown=scanned.shown, problems=problems)


def data_processors() -> list[DataProcessor]:
    """The processors for JSON, YAML and TOML."""
    return [
        DataProcessor("json", (".json", ".jsonl", ".ndjson"), scan_json),
        DataProcessor("yaml", (".yaml", ".yml"), scan_yaml),
        DataProcessor("toml", (".toml",), scan_toml),
    ]


def _heads(scanned: Scanned, lines: Sequence[str]) -> Iterator[Head]:
    """Where entries begin: several cuts together make one, unless what begins at one is long by itself."""
    cuts = scanned.cuts
    sizes = [0]
    for line in lines:
        sizes.append(sizes[-1] + len(line) + 1)
    is_small = len(lines) <= _LINES_PER_ENTRY and sizes[-1] <= _CHARS_PER_ENTRY
    groups: list[list[Cut]] = []
    for cut, behind in zip(cuts, [*(each.line for each in cuts), len(lines) + 1][1:], strict=True):
        first = groups[-1][0] if groups else cut
        too_much = behind - first.line > _LINES_PER_ENTRY or sizes[behind - 1] - sizes[first.line - 1] > _CHARS_PER_ENTRY
        if not groups or cut.level or first.level or too_much:
            groups.append([cut])
        else:
            groups[-1].append(cut)
    for group in groups:
        # A heading for every entry: one without would seem to belong to the key above it.
        first, keys = group[0], [cut.key for cut in group if cut.key]
        heading = "" if is_small and not first.level else _heading(keys)
        yield Head(first.line, heading, first.level or 1, lines=1 if first.level else 0)


def _pieces(scanned: Scanned, whole: Sequence[str]) -> Mapping[int, Sequence[Head]]:
    """What long lines are cut into, by line; what goes on from the piece before belongs to its key."""
    starts = [0, *accumulate(map(len, whole))]
    return {
        line: [
            Head(line, _heading(part.keys), 1 if part.keys else 0, lines=0, at=starts[line - 1] + part.at, said=part.shown)
            for part in parts
        ]
        for line, parts in scanned.parts.items()
    }


def _heading(keys: Sequence[str]) -> str:
    """The first and the last of the keys that stand together."""
    return " … ".join(dict.fromkeys((keys[0], keys[-1])))[:_LONGEST_HEADING] if keys else ""


def scan_json(lines: Sequence[str]) -> Scanned:
    """JSON, JSON Lines, and JSON with comments; RFC 8259."""
    scanned = list(json_lines(lines))
    cuts = [Cut(at, line.key) for at, line in enumerate(scanned, 1) if line.begins]
    is_one = sum(line.is_root for line in scanned) == 1
    title = next((line.title for line in scanned if line.title), None) if is_one else None
    parts = {at: line.parts for at, line in enumerate(scanned, 1) if line.parts}
    return Scanned([line.shown for line in scanned], cuts, title, parts)


_YAML_KEY = re.compile(
    r"""(?P<quote>["']?)(?P<key>(?:[^\s#&*!|>@`%"'\-\[\]{},?:]|-(?=[^\s:]))[^:]{0,200}?)(?P=quote)\s{0,9}:(?:\s+(?P<value>.*))?"""
)
_LONGEST_VALUE = 500
_QUOTED = re.compile(r"""(["'])(.*)\1\s*(?:#.*)?|([^#|>&*!\[{][^#]*?)\s*(?:\s#.*)?""")


def scan_yaml(lines: Sequence[str]) -> Scanned:
    """YAML 1.2: keys and elements that stand at the left edge."""
    cuts, shown, title = [], [], None
    for number, line in enumerate(lines, 1):
        is_mark = line.startswith(("---", "...", "%YAML", "%TAG"))
        shown.append(line[3:].strip() if line.startswith("--- ") else "" if is_mark else line)
        if is_mark:
            continue
        if found := _YAML_KEY.fullmatch(line):
            cuts.append(Cut(number, found["key"]))
            if found["key"].lower() == "title" and not title:
                title = _value(found["value"] or "")
        elif line.startswith("- "):
            cuts.append(Cut(number))
    return Scanned(shown, cuts, title)


_TABLE = re.compile(r"\s*\[{1,2}\s*(?P<name>[^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?")
_PAIR = re.compile(r"""\s*["']?(?P<key>[\w.-]+)["']?\s*=\s*(?P<value>.*)""")
_LONGEST_TABLE = 500
_LONG_STRING = re.compile("\"\"\"|'''")
_NOT_CODE = re.compile(r"""(?P<quote>["']).*?(?P=quote)|#.*""")


def scan_toml(lines: Sequence[str]) -> Scanned:
    """TOML 1.0: tables are headings, all of one depth: their names are whole, and `[a.b]` may stand far from `[a]`."""
    cuts: list[Cut] = []
    title = None
    within, depth = "", 0  # the quotes of a string, and how many lists are open, that go on from line to line
    for number, line in enumerate(lines, 1):
        if not within and not depth:
            if len(line) < _LONGEST_TABLE and (table := _TABLE.fullmatch(line)) and "=" not in table["name"]:
                cuts.append(Cut(number, table["name"], 1))
            elif not (cuts and cuts[-1].level) and (pair := _PAIR.fullmatch(line)):
                cuts.append(Cut(number, pair["key"]))
                title = title or (_value(pair["value"]) if pair["key"].lower() == "title" else None)
        if marks := _LONG_STRING.findall(line):
            for quotes in marks:
                within = "" if within == quotes else within or quotes
        elif not within:
            code = _NOT_CODE.sub("", line)
            depth = max(0, depth + code.count("[") - code.count("]"))
    return Scanned(list(lines), cuts, title)


def _value(written: str) -> str | None:
    found = _QUOTED.fullmatch(written[:_LONGEST_VALUE].strip())
    return (found[2] or found[3] or "").strip() or None if found else None
