"""Front matter: the YAML (`---`) or TOML (`+++`) head of a Markdown note, read without trusting it.

YAML scalars stay as they are written (`no`, `012`, `2024-02-30` are text): only what a field means decides how it is read, so
a head never fails over a type, and nothing is constructed that the text does not spell out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any

from khoj_ls.core.types import Problem

MAX_HEAD_CHARS = 256 * 1024
"""A longer head is not metadata; it is read as text."""
_MAX_DEPTH = 20
_MAX_ALIASES = 20
"""Aliases multiply: n of them can spell out 3 ** (n / 3) values, so only a few are let through."""

_END = MappingProxyType({"---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.M), "+++": re.compile(r"^\+\+\+[ \t]*$", re.M)})
_OPENS = re.compile(r"(---|\+\+\+)[ \t]*\n")
_FIRST_FIELD = re.compile(r"""\s*(?:\#.*\n\s*)*["']?[^\s"':=#\[-][^\n]*?:(?:\s|$)""")
_PLAIN_FIELD = re.compile(r"""["']?([^\s"':=#\[-][^:=\n]*)[:=](?:[ \t](.*))?$""")
_PLAIN_ITEM = re.compile(r"[ \t]*-[ \t](.*)")


class _HeadError(Exception):
    """A head that cannot be read; carries the line of the fault, counted from the head's first line of content."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Head:
    """The head of a note: how many lines it takes (both fences included) and its fields as written."""

    lines: int = 0
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Names to text, or to lists and mappings of text (TOML: numbers and booleans too)."""
    problems: tuple[Problem, ...] = ()


def read_head(source: str) -> Head:
    """The head at the very start of `source` (line breaks are LF); empty when there is none.

    A head with a fault yields a warning Problem and what can be read of it line by line. A note that merely opens with a
    thematic break has no head.
    """
    opening = _OPENS.match(source)
    if not opening:
        return Head()
    fence, start = opening[1], opening.end()
    if fence == "---" and not _FIRST_FIELD.match(source, start):  # a thematic break
        return Head()
    closing = _END[fence].search(source, start)
    if not closing:
        return Head(problems=(_problem(f"the front matter is never closed; end it with a line `{fence}`", 1),))
    body = source[start : closing.start()]
    if len(body) > MAX_HEAD_CHARS:
        return Head(problems=(_problem(f"front matter of {len(body)} characters is read as text; shorten it", 1),))
    lines = source.count("\n", 0, closing.start()) + 1
    try:
        fields = _read_yaml(body) if fence == "---" else _read_toml(body)
    except _HeadError as error:
        if body.startswith("\n") or not _is_mostly_fields(body):  # prose between two thematic breaks: hiding it would lose text
            return Head()
        what = f"the front matter cannot be read: {error}; its fields are read line by line: mend it"
        return Head(lines, _read_plainly(body), (_problem(what, error.line + 2),))
    if fields is None:  # `---`, some text, `---`: two thematic breaks
        return Head()
    return Head(lines, fields)


def as_text(value: Any) -> str:
    """A field's value as one text: scalars as written, lists and mappings as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _problem(message: str, line: int) -> Problem:
    return Problem("warning", "front-matter", message, line)


def _read_yaml(body: str) -> dict[str, Any] | None:
    """Fields of a YAML mapping; None when `body` is some other YAML value. Raises _HeadError."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        _refuse_bombs(body, loader)
        value = yaml.load(body, Loader=loader)  # makes text, lists and mappings only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "it is not valid YAML"
        raise _HeadError(str(what), mark.line if mark else 0) from error
    except (ValueError, RecursionError) as error:
        raise _HeadError(str(error)) from error
    if value in ("", None):
        return {}
    return _plain_mapping(value) if isinstance(value, dict) else None


def _refuse_bombs(body: str, loader: Any) -> None:
    """Raise _HeadError for nesting or aliases beyond any honest head, before a value is built from them."""
    import yaml

    depth = aliases = 0
    for event in yaml.parse(body, Loader=loader):
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > _MAX_DEPTH or aliases > _MAX_ALIASES:
            what = f"nested more than {_MAX_DEPTH} deep" if depth > _MAX_DEPTH else f"more than {_MAX_ALIASES} aliases"
            raise _HeadError(what, event.start_mark.line if event.start_mark else 0)


def _read_toml(body: str) -> dict[str, Any]:
    """Fields of a TOML document. Raises _HeadError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return _plain_mapping(tomllib.loads(body))
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
        line = re.search(r"at line (\d+)", str(error))
        raise _HeadError(str(error), int(line[1]) - 1 if line else 0) from error


def _plain_mapping(value: dict[Any, Any]) -> dict[str, Any]:
    return {as_text(_plain(key, 1)): _plain(item, 1) for key, item in value.items()}


def _plain(value: Any, depth: int) -> Any:
    """`value` in JSON's types. Raises _HeadError where an alias refers to what holds it."""
    if depth > _MAX_DEPTH:
        raise _HeadError(f"nested more than {_MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {as_text(_plain(key, depth + 1)): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return value


def _is_mostly_fields(body: str) -> bool:
    """Whether at least half of the lines with text have the form of a field, an item, a continuation or a comment."""
    lines = [line for line in body.split("\n") if line.strip()]
    return 2 * sum(line[0] in " \t-#" or bool(_PLAIN_FIELD.match(line)) for line in lines) >= len(lines)


def _read_plainly(body: str) -> dict[str, Any]:
    """What a broken head still says: `name: value` lines at the margin, and the `- item` lines below a bare name."""
    fields: dict[str, Any] = {}
    name = ""
    for line in body.split("\n"):
        if found := _PLAIN_FIELD.match(line):
            name = found[1].strip(" \t\"'")
            fields.setdefault(name, _unquoted((found[2] or "").strip()))
        elif name and (item := _PLAIN_ITEM.match(line)):
            if not fields[name]:
                fields[name] = []
            if isinstance(fields[name], list):
                fields[name].append(_unquoted(item[1].strip()))
    return fields


def _unquoted(value: str) -> Any:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    if value.startswith("[") and value.endswith("]") and not value.startswith("[["):
        return [item.strip().strip("\"'") for item in value[1:-1].split(",") if item.strip()]
    return value
