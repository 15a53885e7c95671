"""Personas that people write: a TOML file, or a Markdown or Org note whose head says how and whose body is the prompt."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from khoj_ls.config import toml
from khoj_ls.config.load import SettingsProblem
from khoj_ls.config.options import suggestion
from khoj_ls.content.front_matter import read_head
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.text import decode_source

MAX_BYTES = 200_000
MAX_FILES = 200
MAX_PROMPT = 20_000
"""Characters; a longer prompt would leave no room for notes."""

STYLES = ("concise", "balanced", "detailed")
CITATIONS = ("inline", "footnote", "none")

_TEXTS = frozenset(("about", "prompt", "tone", "greeting", "profile", "model", "base", "name"))
_ONE_LINE = frozenset(("about", "tone", "profile", "model", "base", "name"))
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({"style": STYLES, "citations": CITATIONS})
KEYS = (*sorted(_TEXTS), *_CHOICES, "always_cite", "focus", "max_answer")
"""What a persona may say of itself."""
USER_ONLY = frozenset(("model", "base_url", "api_key", "api_key_variable", "endpoint", "temperature", "top_p"))
"""What decides where notes are sent, what it costs, and how: a vault's persona is told that it may not."""
# What notes say of themselves in any vault, and what means nothing here.
_OF_NOTES = frozenset(
    (
        *("title", "tags", "filetags", "aliases", "alias", "category", "id", "language"),
        *("date", "created", "updated", "modified", "author", "email", "startup", "options"),
    )
)
_TRUE, _FALSE = frozenset(("true", "yes", "on", "t", "1")), frozenset(("false", "no", "off", "nil", "0"))
_NAME = re.compile(r"\w[\w-]{0,39}")
_LEAST_ANSWER, _MOST_ANSWER = 16, 200_000
_ORG_KEYWORD = re.compile(r"#\+(\w+):\s*(.*?)\s*$")
_ORG_PROPERTY = re.compile(r"\s*:([\w-]+):\s*(.*?)\s*$")
_ORG_PASSED_OVER = re.compile(r"\s*(?:#(?:\s.*)?)?$")
_SUFFIXES = (".md", ".org", ".toml")


@dataclass(frozen=True)
class PersonaFile:
    """What one file says of a persona, checked."""

    name: str
    source: str
    values: Mapping[str, Any]
    """By key; `base` and `name` are not among them."""
    base: str = ""
    """The persona that it is derived from; empty where it names none."""
    trusted: bool = False
    """Whether it stands in the user's own config folder."""


@dataclass(frozen=True)
class Folder:
    """The personas of one folder."""

    files: tuple[PersonaFile, ...] = ()
    problems: tuple[SettingsProblem, ...] = ()


def read_folder(folder: Path, *, trusted: bool) -> Folder:
    """The personas in `folder`, by file name; none where there is no such folder. Never fails.

    An untrusted folder (one of a vault) may be neither a link nor hold links, and its personas may not say what only the user
    decides. A file is read again when its time stamps or its size have changed.
    """
    files: list[PersonaFile] = []
    problems: list[SettingsProblem] = []
    try:
        # Every part below the vault counts: `.khoj` may be the link.
        if not trusted and (folder.is_symlink() or folder.parent.is_symlink()):
            return Folder(
                problems=(SettingsProblem(str(folder), "", "it is a symbolic link, and none is followed in a vault"),)
            )
        names = sorted(path.name for path in folder.iterdir() if _is_persona(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return Folder()
    except OSError as error:
        return Folder(problems=(SettingsProblem(str(folder), "", f"cannot be read: {error.strerror or error}"),))
    if len(names) > MAX_FILES:
        problems.append(SettingsProblem(str(folder), "", f"holds {len(names)} files; the first {MAX_FILES} are read"))
    for name in names[:MAX_FILES]:
        read, wrong = _file(folder / name, trusted=trusted)
        problems += wrong
        if read:
            files.append(read)
    return Folder(tuple(files), tuple(problems))


def checked_persona(
    fields: Mapping[str, Any], source: str, name: str, *, trusted: bool, note: bool = False
) -> tuple[PersonaFile | None, tuple[SettingsProblem, ...]]:
    """The persona that `fields` tell of, without what is wrong with them; None where its name cannot be used.

    `note` passes over what notes say of themselves. `name` is taken where the fields have none.
    """
    values: dict[str, Any] = {}
    problems: list[SettingsProblem] = []
    for written, value in fields.items():
        key = str(written).strip().casefold().replace("-", "_")
        if note and key in _OF_NOTES:
            continue
        try:
            values[key] = _value(key, value, trusted=trusted)
        except ValueError as error:
            problems.append(SettingsProblem(source, _printable(str(written))[:80], f"{error}; it is left out"))
    name = str(values.pop("name", name)).casefold()
    base = str(values.pop("base", "")).casefold()
    if not _NAME.fullmatch(name):
        what = f"{_printable(name)[:40]!r} names no persona: use letters, digits, - and _, at most 40 of them; it is left out"
        return None, (*problems, SettingsProblem(source, "name", what))
    return PersonaFile(name, source, MappingProxyType(values), base, trusted), tuple(problems)


def _is_persona(name: str) -> bool:
    return name.endswith(_SUFFIXES) and not name.startswith((".", "#"))


def _file(path: Path, *, trusted: bool) -> tuple[PersonaFile | None, tuple[SettingsProblem, ...]]:
    try:
        found = path.stat() if trusted else path.lstat()
    except OSError as error:
        return None, (SettingsProblem(str(path), "", f"cannot be read: {error.strerror or error}"),)
    if not stat.S_ISREG(found.st_mode):
        what = "no regular file" if trusted else "no regular file, and no link is followed in a vault"
        return None, (SettingsProblem(str(path), "", f"{what}; it is left out"),)
    if found.st_size > MAX_BYTES:
        return None, (SettingsProblem(str(path), "", f"{found.st_size} bytes long; at most {MAX_BYTES} are read"),)
    return _read(path, (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino), trusted)


@lru_cache(maxsize=2 * MAX_FILES)
def _read(path: Path, stamp: tuple[int, ...], trusted: bool) -> tuple[PersonaFile | None, tuple[SettingsProblem, ...]]:
    """The persona of a file; `stamp` is what tells one version of it from the next."""
    source = str(path)
    try:
        with path.open("rb") as stream:
            text, _ = decode_source(stream.read(MAX_BYTES + 1))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        fields, warnings = _fields(path.suffix, text)
    except OSError as error:
        return None, (SettingsProblem(source, "", f"cannot be read: {error.strerror or error}"),)
    except toml.TomlError as error:
        return None, (SettingsProblem(source, "", f"{error}; it is left out"),)
    note = path.suffix != ".toml"
    if note and _is_private(path.name, text):
        what = "the note is private, and the prompt of a persona is sent to the model; it is left out"
        return None, (SettingsProblem(source, "private", what),)
    if note:
        fields.pop("private", None)
    persona, problems = checked_persona(fields, source, path.stem, trusted=trusted, note=note)
    return persona, (*(SettingsProblem(source, "", warning) for warning in warnings), *problems)


def _is_private(name: str, text: str) -> bool:
    """Whether a note, or a section of it, says so in any of the ways in which notes do."""
    parsed = parse_file(default_registry(third_party=False), text.encode(errors="replace"), name)
    return parsed.private or any(entry.private for entry in parsed.entries)


def _fields(suffix: str, text: str) -> tuple[dict[str, Any], list[str]]:
    """What a file of some suffix says, and what is wrong with its head. Raises TomlError."""
    if suffix == ".toml":
        return toml.loads(text), []
    if suffix == ".org":
        fields, body = _org_head(text)
        warnings: list[str] = []
    else:
        head = read_head(text)
        fields, body = dict(head.fields), "\n".join(text.split("\n")[head.lines :])
        warnings = [problem.message for problem in head.problems]
    if body.strip():
        fields["prompt"] = body
    return fields, warnings


def _org_head(text: str) -> tuple[dict[str, Any], str]:
    """`#+key: value` lines and a property drawer at the top, then the body."""
    fields: dict[str, Any] = {}
    lines = text.split("\n")
    in_drawer = False
    for number, line in enumerate(lines):
        if line.strip().upper() in (":PROPERTIES:", ":END:"):
            in_drawer = line.strip().upper() == ":PROPERTIES:"
        elif found := (_ORG_PROPERTY if in_drawer else _ORG_KEYWORD).match(line):
            fields[found[1].casefold()] = found[2]
        elif not _ORG_PASSED_OVER.match(line):
            return fields, "\n".join(lines[number:])
    return fields, ""


def _value(key: str, value: Any, *, trusted: bool) -> Any:
    """What `value` means for `key`. Raises ValueError."""
    if not trusted and key in USER_ONLY:
        raise ValueError("only a persona of your own config folder may set this, as it decides where notes are sent")
    if key not in KEYS:
        raise ValueError(f"a persona has no such key{suggestion(key, KEYS)} (known: {', '.join(KEYS)})")
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise ValueError(f"must be one of {', '.join(_CHOICES[key])}")
        return value
    if key == "always_cite":
        return _truth(value)
    if key == "max_answer":
        return _tokens(value)
    if key == "focus":
        return tuple(_printable(item) for item in _items(value))
    return _text(key, value)


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    text = value.strip()
    if len(text) > MAX_PROMPT:
        raise ValueError(f"{len(text)} characters long; at most {MAX_PROMPT} are taken")
    # A vault's words are shown in terminals and lists.
    return _printable(" ".join(text.split())) if key in _ONE_LINE else "\n".join(map(_printable, text.split("\n")))


def _truth(value: Any) -> bool:
    word = str(value).casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def _tokens(value: Any) -> int:
    # YAML and Org heads hold text; a TOML true is no number.
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,9}", str(value)):
        raise ValueError("must be a whole number of tokens")
    if not _LEAST_ANSWER <= int(value) <= _MOST_ANSWER:
        raise ValueError(f"must be from {_LEAST_ANSWER} to {_MOST_ANSWER}")
    return int(value)


def _items(value: Any) -> Iterator[str]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("must be a list of texts")
    yield from filter(None, (" ".join(item.split()) for item in items))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)
