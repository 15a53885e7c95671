"""E-mails as entries: who wrote to whom and what, in lines of the file; attachments are named."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict

from khoj_ls.content.fields import with_fields
from khoj_ls.content.html_text import page_text
from khoj_ls.content.line_markup import OUTSIDE, Found
from khoj_ls.content.mail_parts import Part, read_parts, text_of
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.content.rendering import clean
from khoj_ls.content.said_dates import said_date
from khoj_ls.core.text import LineIndex, decode_source
from khoj_ls.core.types import EntryDate, Link, ParsedFile, Problem

_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_PEOPLE = ("from", "to", "cc", "reply-to")
_SAID = (*_PEOPLE, "message-id", "in-reply-to", "list-id")
_SENSITIVE = frozenset({"personal", "private", "company-confidential"})
"""Values of `Sensitivity` (RFC 2156): such a message stays on this machine."""
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})


class MailProcessor:
    """Reads .eml files. The message is an entry without heading; messages in it are sections under their subjects."""

    name = "mail"
    extensions: tuple[str, ...] = (".eml",)
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        text, problems = decode_source(data)
        index = LineIndex(text)
        lines = _LINES.findall(data)
        if len(lines) != len(index):  # in UTF-16: a message that was copied into an editor
            lines = [line.encode() for line in index.lines]
        message = read_parts(lines)
        reader = _Reader(lines, index)
        reader.read(message)
        if reader.encrypted:
            what = "the message is encrypted: only what stands outside of it is read"
            problems = (*problems, Problem("warning", "encrypted", what))
        day = said_date(message.header("date"))
        fields = [("tags", message.header("keywords"))] if message.header("keywords") else []
        if message.header("sensitivity").strip().lower() in _SENSITIVE:
            fields.append(("private", "true"))
        parsed = outlined(
            self.name,
            clean(message.header("subject")).strip() or None,
            text,
            reader.heads,
            shown=[" · ".join(reader.shown.get(line, [])) for line in range(len(index))],
            links=reader.found.links,
            properties=[
                *((name, clean(header.value)) for name in _SAID for header in message.headers if header.name == name),
                *(("attachment", name) for name in reader.attachments),
            ],
            dates=[EntryDate("created", day)] if day else [],
            problems=problems,
        )
        return with_fields(parsed, fields)


class _Reader:
    """Shows the lines of a message that are to be read."""

    def __init__(self, lines: list[bytes], index: LineIndex) -> None:
        self._lines = lines
        self._index = index
        self.shown: defaultdict[int, list[str]] = defaultdict(list)
        self.heads: list[Head] = []
        self.attachments: list[str] = []
        self.found = Found(index)
        self.encrypted = False

    def read(self, message: Part) -> None:
        """Show the headers that matter to a reader, and the text."""
        for header in message.headers:
            if header.name in (*_PEOPLE, "date", "subject"):
                self._show(header.line, f"{header.name.capitalize()}: {header.value}")
        self._part(message)

    def _part(self, part: Part) -> None:
        kind = part.type
        self.encrypted = self.encrypted or (kind in _ENCRYPTED and part.parameter("smime-type") != "signed-data")
        if kind == "message/rfc822" and part.parts:
            for message in part.parts:
                if message.first > 0:
                    subject = clean(message.header("subject")) or "A message"
                    self.heads.append(Head(message.first + 1, subject, 1, lines=0))
                self.read(message)
        elif kind == "multipart/alternative" and part.parts:
            self._part(self._best(part.parts))
        elif part.parts:
            for each in part.parts:
                self._part(each)
        else:
            self._leaf(part, kind)

    def _leaf(self, part: Part, kind: str) -> None:
        kind = "text/plain" if kind.startswith("multipart/") else kind  # without a boundary that could tell parts
        if part.is_attachment or kind not in ("text/plain", "text/html"):
            self._attachment(part, kind)
        elif kind == "text/html":
            self._html(part)
        else:
            for line in text_of(part, self._lines):
                self._show(line.line, line.text)
            encoding = part.header("content-transfer-encoding").strip().lower()
            for at in range(*part.body) if encoding != "base64" else ():
                if b"=" not in self._lines[at] or not encoding:  # no `=3D` in an address
                    self.found.urls(self._index.lines[at], self._index.char_starts[at])

    def _best(self, parts: list[Part]) -> Part:
        """Of several forms of one text plain text, where it says anything; else HTML, else the last, which is the richest."""
        for kind in ("text/plain", "text/html"):
            for part in parts:
                if part.type == kind and any(line.text.strip() for line in text_of(part, self._lines)):
                    return part
        return parts[-1]

    def _attachment(self, part: Part, kind: str) -> None:
        name = clean(part.file_name) or (kind if part.is_attachment else "")
        if name:
            self.attachments.append(name)
            self._show(part.first, f"Attachment: {name}")

    def _html(self, part: Part) -> None:
        lines = text_of(part, self._lines)
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line.text) + 1)
        page = page_text("\n".join(line.text for line in lines), whole=True)

        def line_of(start: int) -> int:
            return lines[min(bisect_right(starts, start) - 1, len(lines) - 1)].line

        for block in page.blocks:
            self._show(line_of(block.start), " ".join(block.text.split()), goes_on=block.soft)
        for link in page.links:
            if OUTSIDE.match(link.target):
                at = line_of(link.start) + 1
                self.found.links.append(
                    Link("url", clean(link.target), clean(link.label) or None, self._index.span_of_lines(at, at))
                )

    def _show(self, line: int, text: str, *, goes_on: bool = False) -> None:
        said = clean(text).replace("\n", " ").rstrip()
        if goes_on and self.shown[line]:
            self.shown[line][-1] += f" {said}"
        elif said:
            self.shown[line].append(said)
