"""Inline markup of Org: links, targets, citations, timestamps and emphasis, reduced to what a reader reads.

Follows the object rules of Org Syntax (https://orgmode.org/worg/org-syntax.html): what may stand before and after a marker, no
markup inside =verbatim= and ~code~, no link inside a link's label. One pass from left to right without recursion: what is
open at a point (emphasis, labels) is a stack of regions, and an object must end inside the innermost one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from khoj_ls.content.org_dates import TIMESTAMP, timestamp_date
from khoj_ls.content.org_links import expand, kind_of, readable
from khoj_ls.content.org_source import OrgText
from khoj_ls.core.types import Anchor, EntryDate, Link, LinkKind, Span

# Org's own sets (org-emphasis-regexp-components) and the punctuation of scripts that write no blank beside it.
_BEFORE = re.compile(r"[\s\u200b\-–—({'\"“‘（「『《，。、；：！？]")
_AFTER = r"[\s\u200b\-–—.,:!?;'\")}\[\\”’）」』》，。、；：！？]"
_CLOSERS = MappingProxyType({mark: re.compile(rf"(?<!\s){re.escape(mark)}(?={_AFTER}|\Z)") for mark in "*/_+=~"})
_BLANK = re.compile(r"\s")

# Where an object may begin. One leading character class lets the regex engine skip plain text quickly.
_OBJECT = re.compile(
    r"[*/_+=~\[<@\\(:{](?:(?<=[\[<@\\])|(?<=\{)(?=\{)|(?<=[a-z]:)(?=\S)|(?<=\()(?=\()|(?<=[*/_+=~])(?<!\w.)(?=\S))"
)

_TARGET = re.compile(r"[^\[\]\\]*(?:\\.[^\[\]\\]*)*", re.DOTALL)
_ESCAPED = re.compile(r"\\([\[\]\\])")
_DEDICATED = re.compile(r"(<{2,3})([^<>\s](?:[^<>\r\n]*[^<>\s])?)(>{2,3})")
_ANGLE = re.compile(r"<((?:https?|ftp|file|mailto|doi|id|denote|attachment|roam|cite[a-z]*|info|news):[^<>\r\n]+)>")
_CITATION = re.compile(r"\[cite(?:/[\w/-]*)?:([^\[\]]*)\]")
_KEY = re.compile(r"@(?:[-.:?!`'/*+|(){}<>&_^$#%~\w]*[\w/)}])")
_OLD_KEY = re.compile(r"\w(?:[\w.:/+-]*\w)?")
_FOOTNOTE = re.compile(r"\[fn:([\w-]*)([:\]])")
_SCHEME_BEFORE = re.compile(r"(?<!\w)[a-z]+$")
_PLAIN = re.compile(
    r"(?:https?|ftp)://\w|file:[\w~./]|mailto:\S{1,80}@|doi:10\.|id:[0-9a-fA-F]{8}-|denote:\d{8}T|attachment:\w"
    r"|cite[a-z]{0,12}:[&\w]"
)
_PLAIN_REST = re.compile(r"(?:[^\s()<>\[\]，。、；：！？（）「」『』《》]|\([^\s()<>]*\))*")
_NOT_THE_END_OF_A_LINK = re.compile(r"[^\w/)]")
_BLOCK = re.compile(r"\(\(([0-9a-fA-F]{8}-[0-9a-fA-F-]{27})\)\)")
_EMBED = re.compile(r"\{\{embed[ \t]+(\(\([\w-]+\)\)|\[\[[^\[\]\r\n]+\]\])[ \t]*\}\}")  # Logseq's
_SNIPPET = re.compile(r"@@[\w-]+:")
_LINE_BREAK = re.compile(r"\\\\[ \t]*(?=[\r\n]|\Z)")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass
class Found:
    """What the markup of one entry holds, in source order; filled while its text is reduced."""

    links: list[Link] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    dates: list[EntryDate] = field(default_factory=list)


def reduce(
    source: OrgText, start: int, end: int, found: Found, abbreviations: Mapping[str, str], *, targets: bool = True
) -> str:
    """Readable text of the characters [start, end), every line break kept; links, anchors and dates go to `found`.

    Without `targets` the names of dedicated targets are left out, as where Org shows them to a reader. Those of radio targets
    are text of their own.
    """
    if _OBJECT.search(source.text, start, end) is None:
        return source.text[start:end]
    reader = _Reader(source, start, end, found, abbreviations, targets)
    reader.read()
    return reader.text_without_markup()


class _Reader:
    """One pass over a stretch of text. A reader of an object returns where to go on, or None when there is no such object."""

    def __init__(
        self, source: OrgText, start: int, end: int, found: Found, abbreviations: Mapping[str, str], targets: bool
    ) -> None:
        self.source, self.text, self.start, self.end = source, source.text, start, end
        self.found, self.abbreviations, self.targets = found, abbreviations, targets
        self.edits: list[tuple[int, int, str]] = []
        self.regions = [(start, end)]
        self.closing_marks: set[int] = set()
        self.label_end = start
        self.searched: dict[str, tuple[int, int]] = {}
        self.cursor = (0, 0)  # a character offset and its byte offset
        self.at = start

    def read(self) -> None:
        while object_ := _OBJECT.search(self.text, self.at, self.end):
            begin = object_.start()
            while begin >= self.regions[-1][1]:
                self.regions.pop()
            self.at = _READERS[self.text[begin]](self, begin) or begin + 1

    def text_without_markup(self) -> str:
        pieces, at = [], self.start
        for start, end, instead in sorted(self.edits):
            pieces += [self.text[at:start], instead, *_BREAK.findall(self.text, start, end)]
            at = end
        return "".join([*pieces, self.text[at : self.end]])

    # Places

    @property
    def limit(self) -> int:
        return self.regions[-1][1]

    def next_of(self, needle: re.Pattern[str], at: int) -> int:
        """Where `needle` comes next in the stretch, else its end; remembered, or unclosed markers would cost quadratic time."""
        since, place = self.searched.get(needle.pattern, (0, -1))
        if not since <= at <= place:
            match = needle.search(self.text, at, self.end)
            place = match.start() if match else self.end
            self.searched[needle.pattern] = (at, place)
        return place

    def span(self, start: int, end: int) -> Span:
        index = self.source.index
        return Span(self.byte(start), self.byte(end), index.line_of_char(start), index.line_of_char(end - 1))

    def byte(self, char: int) -> int:
        # Counts on from the last place: LineIndex would count a line from its start for each of its links.
        index = self.source.index
        line = index.line_of_char(char) - 1
        known = (index.char_starts[line], index.byte_starts[line])
        if self.cursor[0] <= char:
            known = max(known, self.cursor)
        self.cursor = (char, known[1] + len(self.text[known[0] : char].encode()))
        return self.cursor[1]

    def link(self, kind: LinkKind, target: str, label: str | None, start: int, end: int) -> None:
        if start >= self.label_end:
            self.found.links.append(Link(kind, target, label, self.span(start, end)))

    def drop(self, *ranges: tuple[int, int]) -> None:
        self.edits += [(start, end, "") for start, end in ranges]

    # Readers, by the first character of the object

    def emphasis(self, begin: int) -> int | None:
        mark = self.text[begin]
        if begin in self.closing_marks or (begin != self.regions[-1][0] and not _BEFORE.match(self.text, begin - 1)):
            return None
        close = self.next_of(_CLOSERS[mark], begin + 2)
        if close >= self.limit:  # the end of an outer region is a place where the inner one may close
            close = self.limit - 1
            if close < begin + 2 or self.text[close] != mark or self.text[close - 1].isspace():
                return None
        if self.is_no_emphasis(begin, close):
            return None
        self.drop((begin, begin + 1), (close, close + 1))
        if mark in "=~":
            return close + 1
        self.closing_marks.add(close)
        self.regions.append((begin + 1, close))
        return begin + 1

    def is_no_emphasis(self, begin: int, close: int) -> bool:
        lines = self.source.index.line_of_char(close) - self.source.index.line_of_char(begin)
        if lines > 1:  # Org's limit too (org-emphasis-regexp-components)
            return True
        has_blank = _BLANK.search(self.text, begin, close) is not None
        if self.text.startswith("~/", begin):  # ~/notes and ~/mail are two paths, ~/notes~ is code
            return has_blank
        return self.text[begin] == "/" and not has_blank and self.text.find("/", begin + 1, close) > 0  # /usr/local/

    def square_bracket(self, begin: int) -> int | None:
        following = self.text[begin + 1 : begin + 4]
        if following.startswith("["):
            return self.bracket_link(begin)
        if following == "cit":
            return self.citation(begin)
        if following == "fn:":
            return self.footnote(begin)
        return self.timestamp(begin)

    def bracket_link(self, begin: int) -> int | None:
        target = _TARGET.match(self.text, begin + 2, self.limit)
        after = target.end() if target else begin
        label_start = after + 2
        if self.text.startswith("]]", after):
            close, end = after, label_start
        elif self.text.startswith("][", after):
            close = self.next_of(_LABEL_END, label_start)
            end = close + 2
        else:
            return None
        if after == begin + 2 or end > self.limit or target is None:
            return None
        label = " ".join(self.text[label_start:close].split())
        written = expand(_ESCAPED.sub(r"\1", " ".join(target[0].split())), self.abbreviations)
        self.written_link(written, label or None, begin, end)
        if not label:
            self.edits.append((begin, end, readable(written)))
            return end
        self.drop((begin, label_start), (close, end))
        self.regions.append((label_start, close))
        self.label_end = max(self.label_end, end)
        return label_start

    def citation(self, begin: int) -> int | None:
        citation = _CITATION.match(self.text, begin, self.limit)
        if citation is None:
            return None
        keys = list(_KEY.finditer(self.text, citation.start(1), citation.end(1)))
        for key in keys:
            start, end = citation.span() if len(keys) == 1 else key.span()
            self.link("citation", key[0], None, start, end)
        self.drop((begin, citation.start(1)), (citation.end() - 1, citation.end()))
        return citation.end()

    def footnote(self, begin: int) -> int | None:
        note = _FOOTNOTE.match(self.text, begin, self.limit)
        if note and note[1] and note[2] == ":":  # [fn:name:its text]
            self.found.anchors.append(Anchor("footnote", note[1], self.span(*note.span())))
        elif note and note[1]:
            self.link("footnote", note[1], None, *note.span())
        return note.end() if note else None

    def timestamp(self, begin: int) -> int | None:
        stamp = TIMESTAMP.match(self.text, begin, self.limit)
        if stamp is None:
            return None
        date = timestamp_date(stamp, "content")
        if date:
            self.found.dates.append(date)
        return stamp.end()

    def angle_bracket(self, begin: int) -> int | None:
        if target := _DEDICATED.match(self.text, begin, self.limit):
            if len(target[1]) != len(target[3]):
                return None
            self.found.anchors.append(Anchor("target", target[2], self.span(*target.span())))
            if self.targets or len(target[1]) == 3:
                self.drop(target.span(1), target.span(3))
            else:
                self.drop(target.span())
            return target.end()
        if angle := _ANGLE.match(self.text, begin, self.limit):
            self.written_link(angle[1], None, *angle.span())
            self.drop((begin, begin + 1), (angle.end() - 1, angle.end()))
            return angle.end()
        return self.timestamp(begin)

    def colon(self, colon: int) -> int | None:
        scheme_at = max(self.at, colon - 16)
        scheme = _SCHEME_BEFORE.search(self.text, scheme_at, colon)
        if scheme is None or not _PLAIN.match(self.text, scheme.start(), self.limit):
            return None
        rest = _PLAIN_REST.match(self.text, colon + 1, self.limit)
        end = rest.end() if rest else colon
        while _NOT_THE_END_OF_A_LINK.match(self.text, end - 1):
            end -= 1
        if end <= colon + 1:
            return None
        self.written_link(self.text[scheme.start() : end], None, scheme.start(), end)
        return end

    def written_link(self, target: str, label: str | None, start: int, end: int) -> None:
        kind = kind_of(target)
        if block := _BLOCK.fullmatch(target):
            kind, target = "block", block[1]
        for each in _old_citation_keys(target) if kind == "citation" else [target]:
            self.link(kind, each, label, start, end)

    def parenthesis(self, begin: int) -> int | None:
        block = _BLOCK.match(self.text, begin, self.limit)
        if block is None:
            return None
        self.link("block", block[1], None, *block.span())
        self.drop(block.span())
        return block.end()

    def brace(self, begin: int) -> int | None:
        embed = _EMBED.match(self.text, begin, self.limit)
        if embed is None:
            return None
        self.drop((begin, embed.start(1)), (embed.end(1), embed.end()))
        return embed.start(1)

    def at_sign(self, begin: int) -> int | None:
        snippet = _SNIPPET.match(self.text, begin, self.limit)
        end = self.next_of(_SNIPPET_END, snippet.end()) + 2 if snippet else self.end + 1
        if end > self.limit:
            return None
        self.drop((begin, end))
        return end

    def backslash(self, begin: int) -> int | None:
        if line_break := _LINE_BREAK.match(self.text, begin, self.limit):
            self.drop(line_break.span())
            return line_break.end()
        closing = _LATEX_ENDS.get(self.text[begin : begin + 2])
        end = self.next_of(closing, begin + 2) + 2 if closing else begin + 2
        return end if end <= self.limit else None


def _old_citation_keys(target: str) -> Iterable[str]:
    # org-ref: cite:one,two and cite:&one;&two
    return ["@" + key for key in _OLD_KEY.findall(target.partition(":")[2])]


_LABEL_END = re.compile(r"\]\]")
_SNIPPET_END = re.compile("@@")
_LATEX_ENDS = MappingProxyType({r"\(": re.compile(r"\\\)"), r"\[": re.compile(r"\\\]")})
_READERS: MappingProxyType[str, Callable[[_Reader, int], int | None]] = MappingProxyType(
    {
        **dict.fromkeys("*/_+=~", _Reader.emphasis),
        "[": _Reader.square_bracket,
        "<": _Reader.angle_bracket,
        "(": _Reader.parenthesis,
        "{": _Reader.brace,
        "@": _Reader.at_sign,
        "\\": _Reader.backslash,
        ":": _Reader.colon,
    }
)
