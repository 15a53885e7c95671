"""A chat as a file: who said what, told apart by marks that survive whatever is written between them.

    ---                                             #+title: Router
    khoj-chat: 3f9a1c20                             #+khoj_chat: 3f9a1c20
    vault: /home/me/notes                           #+khoj_vault: /home/me/notes
    persona: default                                #+khoj_persona: default
    model:                                          #+khoj_model:
    ---
    # Router                                        About [[file:/home/me/notes/router.org::1][router.org]].

    About [router.md](file:///home/me/notes/router.md).

    ## You                                          * You
    <!-- khoj:3f9a1c20:you -->                      # khoj:3f9a1c20:you

A mark line begins a part; the heading just above it belongs to it and may be called anything. The letters between the colons
are drawn for each file and are never told to a model, so that neither an answer nor text pasted from another chat can begin a
part. Offsets count characters.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote, unquote

from khoj_ls.core.text import text_lines

Format = Literal["markdown", "org"]
PartKind = Literal["about", "you", "answer", "notes"]
"""`about` what a selection was; `you` a question; `answer`; `notes` what is told below an answer, which is then complete."""

SUFFIXES: Mapping[Format, str] = MappingProxyType({"markdown": ".md", "org": ".org"})
_NAMES: Mapping[str, str] = MappingProxyType({"you": "You", "answer": "khoj_ls"})
_HEAD_KEYS = ("vault", "persona", "model", "profile", "stream")
_MARK = re.compile(r"[0-9a-z]{6,}")
_YAML_KEY = re.compile(r"([A-Za-z-]+):[ \t]*(.*)")
_ORG_KEY = re.compile(r"#\+khoj_([a-z]+):[ \t]*(.*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z]+)=(\S*)")
_PLAIN = re.compile(r"[^\s\"'#&*!|>%@`\[\]{}?,:-]((?!: | #|:$)[^\r\n])*(?<!\s)")
"""A value that YAML reads as it stands."""
_NO = frozenset({"no", "false", "off", "0"})


@dataclass(frozen=True)
class Change:
    """Characters [start, end) of a text become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Head:
    """What the first lines say; the user may change all but the mark."""

    mark: str
    vault: str
    """Path of the vault that is asked."""
    persona: str = ""
    model: str = ""
    """`PROVIDER/NAME`, a preset or `none`; empty: as the settings say."""
    profile: str = ""
    stream: bool = True
    """Whether an answer is written as it arrives; else in one piece."""


@dataclass(frozen=True)
class Part:
    """What stands between two marks."""

    kind: PartKind
    text: str
    """Without the blank lines around it."""
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    start: int = 0
    """Where its heading begins, or its mark."""
    body: int = 0
    """Just behind its mark line."""
    end: int = 0
    text_end: int = 0
    """Where its text ends; the insertion point of an answer that grows."""

    @property
    def turn(self) -> str:
        """Id of the turn that an answer belongs to."""
        return self.attributes.get("turn", "")


@dataclass(frozen=True)
class Exchange:
    """A question with its answer, which may not be there yet."""

    question: Part
    answer: Part | None = None
    notes: Part | None = None

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return (self.notes or self.answer or self.question).end


@dataclass(frozen=True)
class ChatFile:
    """A chat file as it stands."""

    format: Format
    text: str
    head: Head
    preamble: str
    """What stands above the first question: title and links to what the chat is about."""
    parts: tuple[Part, ...]

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Questions with their answers, in order."""
        found: list[Exchange] = []
        for part in self.parts:
            if part.kind == "you":
                found.append(Exchange(part))
            elif part.kind == "answer" and found and found[-1].answer is None:
                found[-1] = Exchange(found[-1].question, part)
            elif part.kind == "notes" and found and found[-1].answer is not None and found[-1].notes is None:
                found[-1] = Exchange(found[-1].question, found[-1].answer, part)
        return tuple(found)

    @property
    def prompt(self) -> Part | None:
        """Where the user writes the next question; None when an answer follows the last."""
        last = self.exchanges[-1] if self.exchanges else None
        return last.question if last and last.answer is None else None

    @property
    def conversation(self) -> str | None:
        """Id of the conversation, once it has begun."""
        ids = [part.attributes["conversation"] for part in self.parts if part.attributes.get("conversation")]
        return ids[-1] if ids else None

    def exchange(self, turn: str) -> Exchange | None:
        """The exchange whose answer is that of `turn`."""
        return next((each for each in self.exchanges if each.answer and turn and each.answer.turn == turn), None)

    def exchange_at(self, offset: int) -> Exchange | None:
        """The exchange around a character."""
        return next((each for each in self.exchanges if each.question.start <= offset <= each.end), None)


def format_of(name: str) -> Format:
    """The format of a chat about the note called `name`, and of a chat file by its own name."""
    return "org" if name.lower().endswith((".org", ".org_archive")) else "markdown"


def new_mark() -> str:
    """The mark of a new file."""
    return secrets.token_hex(4)


def mark_line(format: Format, mark: str, kind: PartKind, attributes: Mapping[str, str] | None = None) -> str:
    """The line that begins a part, without line break."""
    said = "".join(f" {key}={quote(value, safe='/:.,~')}" for key, value in (attributes or {}).items() if value)
    inner = f"khoj:{mark}:{kind}{said}"
    return f"# {inner}" if format == "org" else f"<!-- {inner} -->"


def begin_part(format: Format, mark: str, kind: PartKind, attributes: Mapping[str, str] | None = None) -> str:
    """Heading and mark line of a part; only questions and answers have a heading."""
    name = _NAMES.get(kind)
    heading = f"{'*' if format == 'org' else '##'} {name}\n" if name else ""
    return f"{heading}{mark_line(format, mark, kind, attributes)}\n"


def format_file(format: Format, head: Head, title: str, preamble: str, parts: Iterable[Part] = ()) -> str:
    """The text of a chat file; it ends where the user writes on."""
    values = {"vault": head.vault, "persona": head.persona, "model": head.model, "profile": head.profile}
    stream = "yes" if head.stream else "no"
    title = " ".join(title.split()) or "Chat"
    if format == "org":
        lines = [f"#+title: {title}", f"#+khoj_chat: {head.mark}"]
        lines += [f"#+khoj_{key}: {_written(value)}".rstrip() for key, value in (*values.items(), ("stream", stream))]
        text = "\n".join(lines) + "\n"
    else:
        lines = ["---", f"khoj-chat: {head.mark}"]
        lines += [f"{key}: {_written(value)}".rstrip() for key, value in values.items()]
        text = "\n".join([*lines, f"stream: {stream}", "---", "", f"# {title}"]) + "\n"
    if preamble.strip():
        text += "\n" + preamble.strip("\r\n") + "\n"
    for part in parts:
        text += "\n" + begin_part(format, head.mark, part.kind, part.attributes) + "\n"
        text += part.text.strip("\r\n") + "\n" if part.text.strip() else ""
    return text


def parse_file(text: str, format: Format) -> ChatFile | None:
    """Read a chat file; None where its head is not that of one. Never raises."""
    lines = text_lines(text)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    values, below = _org_head(lines) if format == "org" else _yaml_head(lines)
    mark = values.get("chat", "")
    if not _MARK.fullmatch(mark):
        return None
    head = Head(
        mark,
        values.get("vault", ""),
        values.get("persona", ""),
        values.get("model", ""),
        values.get("profile", ""),
        values.get("stream", "").lower() not in _NO,
    )
    found = [(number, *read) for number in range(below, len(lines)) if (read := _read_mark(lines[number], mark, format))]
    begins = [_heading_above(lines, number, below, format) if kind in _NAMES else number for number, kind, _ in found]
    begins.append(len(lines))
    parts = tuple(
        Part(
            kind,
            _trimmed(text[starts[number + 1] : starts[begins[index + 1]]]),
            attributes,
            starts[begins[index]],
            starts[number + 1],
            starts[begins[index + 1]],
            _text_end(text, starts[number + 1], starts[begins[index + 1]]),
        )
        for index, (number, kind, attributes) in enumerate(found)
    )
    first = next((part.start for part in parts if part.kind != "about"), len(text))
    return ChatFile(format, text, head, text[starts[below] : first], parts)


def _yaml_head(lines: list[str]) -> tuple[dict[str, str], int]:
    """The front matter, and the number of the line below it."""
    values: dict[str, str] = {}
    if not lines or lines[0].rstrip() != "---":
        return values, 0
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return values, number + 1
        if found := _YAML_KEY.match(line):
            key = "chat" if found[1] == "khoj-chat" else found[1]
            if key == "chat" or key in _HEAD_KEYS:
                values.setdefault(key, _meant(found[2]))
    return {}, 0


def _org_head(lines: list[str]) -> tuple[dict[str, str], int]:
    values: dict[str, str] = {}
    for number, line in enumerate(lines):
        if found := _ORG_KEY.match(line):
            values.setdefault(found[1].lower(), _meant(found[2]))
        elif line.strip() and not line.startswith("#+"):
            return values, number
    return values, len(lines)


def _written(value: str) -> str:
    return value if not value or _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _meant(written: str) -> str:
    text = written.strip()
    if text.startswith('"'):
        try:
            value, _ = json.JSONDecoder().raw_decode(text)
            return value if isinstance(value, str) else text
        except ValueError:  # half typed
            return text.strip('"')
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    return text.partition(" #")[0].strip() if not text.startswith("#") else ""


def _read_mark(line: str, mark: str, format: Format) -> tuple[PartKind, Mapping[str, str]] | None:
    inner = line.strip()
    if format == "org":
        inner = inner[2:] if inner.startswith("# ") else ""
    else:
        inner = inner[5:-4] if inner.startswith("<!-- ") and inner.endswith(" -->") else ""
    name, _, rest = inner.strip().partition(" ")
    for kind in ("about", "you", "answer", "notes"):
        if name == f"khoj:{mark}:{kind}":
            return kind, MappingProxyType({key: unquote(value) for key, value in _ATTRIBUTE.findall(rest)})
    return None


def _heading_above(lines: list[str], number: int, below: int, format: Format) -> int:
    """The line of the heading that belongs to the mark in line `number`, else that line itself; a blank may stand between."""
    sign = "*" if format == "org" else "#"
    for at in (number - 1, number - 2):
        if at < below or (at == number - 2 and lines[number - 1].strip()):
            break
        if re.match(rf"{re.escape(sign)}+ ", lines[at]):
            return at
    return number


def _text_end(text: str, body: int, end: int) -> int:
    """Behind the last word of a part; in an empty one below the blank line that follows the mark."""
    region = text[body:end]
    if region.strip():
        return body + len(region.rstrip())
    blank = re.match(r"[ \t]*(?:\r\n|\r|\n)?", region)
    return body + (blank.end() if blank else 0)


def _trimmed(text: str) -> str:
    """`text` without blank lines at its beginning and blanks at its end."""
    return re.sub(r"\A(?:[ \t]*(?:\r\n|\r|\n))+", "", text).rstrip() if text.strip() else ""
