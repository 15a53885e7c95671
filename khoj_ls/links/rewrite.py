"""Lead a link elsewhere by the smallest edit of its source: label, embed mark, brackets, title and blanks stay as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from khoj_ls.core.types import Link
from khoj_ls.links.encode import Encoding, encode

_BLANKS = re.compile(r"[ \t]*\n?[ \t]*")
_WIKI = re.compile(r"\[\[([^\[\]\n]+)\]\]")
_BAR = re.compile(r"\\?\|")
_ORG = re.compile(r"\[\[((?:[^\[\]\\]|\\.)+)\](?:\[|\])", re.DOTALL)
_ANGLE = re.compile(r"<([^<>\n]+)>")
_REFERENCE = re.compile(r"\[((?:[^\[\]\\]|\\.)*)\](?:\[((?:[^\[\]\\]|\\.)*)\])?\Z", re.DOTALL)
_DEFINITION = re.compile(r"^[ \t>]*\[(?!\^)((?:[^\[\]\\\n]|\\.)+)\]:[ \t]*(?:\n[ \t]*)?(<[^<>\n]*>|[^\s<]\S*)", re.M)
_PREFIX = re.compile(r"(?:dendron://[^/]+/|(?:file(?:\+sys|\+emacs)?|docview|pdf|id|roam|denote|attachment):)", re.I)


@dataclass(frozen=True)
class Edit:
    """Bytes [start, end) of a note's source become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Written:
    """Where the target of a link stands in the note's source, in bytes, and how it is written."""

    start: int
    end: int
    text: str
    encoding: Encoding
    mark: str
    """What divides the note from the place in it: `#`, or Org's `::`."""

    @property
    def note(self) -> tuple[int, int]:
        """Characters of `text` that name the note: without scheme, query and place."""
        begin = prefix.end() if (prefix := _PREFIX.match(self.text)) else 0
        end = self.text.find(self.mark, begin)
        end = len(self.text) if end < 0 else end
        query = self.text.find("?", begin, end) if self.encoding in ("bare", "angled") else -1
        return begin, end if query < 0 else query

    @property
    def place(self) -> tuple[int, int] | None:
        """Characters of `text` that name the place in the note; None when there is no mark."""
        at = self.text.find(self.mark)
        return None if at < 0 else (at + len(self.mark), len(self.text))


def written_target(source: bytes, link: Link, source_type: str) -> Written | None:
    """Where the target of `link` stands in `source`, the note it was found in; of a reference link that is its definition.

    None when it is not written out: an Org abbreviation, or a note that has changed since.
    """
    raw = source[link.span.start : link.span.end].decode(errors="surrogateescape")
    if link.kind in ("wikilink", "embed"):
        found = _in_wikilink(raw, link.target)
    elif source_type == "org":
        found = _in_org(raw, link.target)
    elif link.kind == "markdown":
        found = _in_destination(raw, link.target)
        if found is None:
            return _in_definition(source, raw, link.target)
    else:
        at = raw.rfind(link.target)
        found = (at, at + len(link.target), "tag" if raw.startswith("#") and at == 1 else "wiki") if at >= 0 else None
    if found is None:
        return None
    begin, end, encoding = found
    start = link.span.start + len(raw[:begin].encode(errors="surrogateescape"))
    text = raw[begin:end]
    mark = "::" if source_type == "org" and encoding in ("org", "plain") else "#"
    return Written(start, start + len(text.encode(errors="surrogateescape")), text, encoding, mark)


_Place = tuple[int, int, Encoding]


def _in_wikilink(raw: str, target: str) -> _Place | None:
    for found in _WIKI.finditer(raw):
        at = found.start(1)
        for part in _BAR.split(found[1]):
            begin = raw.index(part, at) if part else at
            at = begin + len(part)
            if part.strip() == target:
                begin += len(part) - len(part.lstrip())
                return begin, begin + len(target), "wiki"
    return None


def _in_org(raw: str, target: str) -> _Place | None:
    bracket = _ORG.match(raw) or _ANGLE.match(raw)
    begin, end = bracket.span(1) if bracket else (0, len(raw))
    meant = re.sub(r"\\([\[\]\\])", r"\1", " ".join(raw[begin:end].split()))
    if meant == target:
        return begin, end, "org" if bracket else "plain"
    at = raw.rfind(target)
    return (at, at + len(target), "plain") if at >= 0 and not bracket else None


def _in_destination(raw: str, target: str) -> _Place | None:
    """The destination of an inline link; of an image in a link's label the outer one, which is the last."""
    at = len(raw)
    while (at := raw.rfind("](", 0, at)) >= 0:
        blanks = _BLANKS.match(raw, at + 2)
        begin = blanks.end() if blanks else at + 2
        angled = raw.startswith("<", begin)
        begin += angled
        end = begin + len(target)
        if raw.startswith(target, begin) and raw[end : end + 1] in (">" if angled else (")", " ", "\t", "\n")):
            return begin, end, "angled" if angled else "loose" if " " in target else "bare"
    return None


def _in_definition(source: bytes, raw: str, target: str) -> Written | None:
    label = _REFERENCE.search(raw)
    if label is None:
        return None
    wanted = _label_key(label[2] or label[1])
    text = source.decode(errors="surrogateescape")
    for found in _DEFINITION.finditer(text):
        angled = found[2].startswith("<")
        written = found[2][1:-1] if angled else found[2]
        if _label_key(found[1]) == wanted and written == target:
            start = len(text[: found.start(2) + angled].encode(errors="surrogateescape"))
            end = start + len(written.encode(errors="surrogateescape"))
            return Written(start, end, written, "angled" if angled else "bare", "#")
    return None


def _label_key(label: str) -> str:
    return " ".join(label.casefold().split())


def redirect(written: Written, *, note: str | None = None, place: str | None = None) -> Edit:
    """The edit that makes a target name another `note`, another `place` in it, or both; what is None stays.

    `note` and `place` are plain names: they are encoded as the target was. An empty `place` takes the place out.
    """
    text = written.text
    if place is not None:
        text = _with_place(written, text, place)
    if note is not None:
        begin, end = written.note
        text = text[:begin] + encode(note, written.encoding, text[begin:end]) + text[end:]
    return smallest_edit(written, _held_together(written.encoding, text))


def _held_together(encoding: Encoding, text: str) -> str:
    """`text` in brackets where blanks would end a link that was written without: a tag (Logseq's way), an Org link."""
    if not re.search(r"\s", text):
        return text
    return f"[[{text}]]" if encoding == "tag" else f"<{text}>" if encoding == "plain" else text


def _with_place(written: Written, text: str, place: str) -> str:
    known = written.place
    begin = known[0] if known else len(text)
    if not place:
        return text[: begin - len(written.mark)] if known else text
    new = encode(place, written.encoding, text[begin:])
    return text[:begin] + ("" if known else written.mark) + new


def smallest_edit(written: Written, text: str) -> Edit:
    """The edit from what is written to `text`, without what both begin and end with."""
    old = written.text
    begin = 0
    while begin < min(len(old), len(text)) and old[begin] == text[begin]:
        begin += 1
    end = 0
    while end < min(len(old), len(text)) - begin and old[-1 - end] == text[-1 - end]:
        end += 1
    start = written.start + len(old[:begin].encode(errors="surrogateescape"))
    stop = written.end - len(old[len(old) - end :].encode(errors="surrogateescape"))
    return Edit(start, stop, text[begin : len(text) - end])


def applied(source: bytes, edits: list[Edit]) -> bytes:
    """`source` with `edits` made; equal ones once. Raises ValueError when they overlap."""
    pieces: list[bytes] = []
    at = 0
    for edit in sorted(set(edits), key=lambda each: (each.start, each.end)):
        if edit.start < at:
            raise ValueError(f"edits overlap at byte {edit.start}")
        pieces += [source[at : edit.start], edit.text.encode(errors="surrogateescape")]
        at = edit.end
    return b"".join([*pieces, source[at:]])
