"""One pass over the inline text of a block: links, tags and anchors with their exact places, and the text as a reader sees it.

The scanner works on the source itself, not on a parsed copy, so every place is an offset into the source; whatever it
leaves out keeps its line breaks, so the text stays line-aligned. Brackets and emphasis follow CommonMark's stack algorithm:
the time is linear in the text, whatever it holds.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from khoj_ls.content import markdown_links as grammar
from khoj_ls.content.markdown_html import ANCHOR_NAME, TAG, is_html, tag_text
from khoj_ls.core.types import AnchorKind, LinkKind

# One character class first, so that the search runs at the speed of a set lookup; then what the character must be beside.
_HOT = re.compile(
    r"""[\\`\[\]<*&_~=#%{(:!$]
    (?: (?<=[\\`\[\]<*&$])
      | (?<=!)(?=\[)
      | (?<=_)(?:(?<![^\W_]_)|(?![^\W_]))                 # a `_` inside a word is a letter
      | (?<=[~=])(?:(?<=~)(?=~)|(?<==)(?==))
      | (?<=\#)(?<![^\s(,;"'“‘「『（【，、。；：*_~=|>]\#)(?=[^\s\#])
      | (?<=%)(?<![\w%]%)(?=%)
      | (?<=\{)(?=\{embed)
      | (?<=\()(?=\()
      | (?<=:)(?=//)
    )""",
    re.X,
)
_RUN = MappingProxyType({mark: re.compile(re.escape(mark) + "+") for mark in "`*_~="})
_ESCAPABLE = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AUTOLINK = re.compile(
    r"<((?:[A-Za-z][A-Za-z0-9+.-]{1,31}://|(?:mailto|tel|file|urn|doi|magnet):)[^\s<>]*)>|<([\w.+-]+@[\w.-]+)>"
)
_MATH = re.compile(r"\$\$[^$]+\$\$|\$(?![\s$])[^$\n`\[]*(?<!\s)\$(?!\d)")
_FIELD = re.compile(r"\[([^\[\]():`\n]{1,64})::[ \t]")
_PRIORITY = re.compile(r"\[#[A-Z]\]")
_CJK = "\u2e80"
"""From here on scripts put no blanks around emphasis: a mark beside such a character may open and close."""
_IMAGE_SIZE = re.compile(r"\|\d+(?:x\d+)?$")


class RawLink(NamedTuple):
    """A link with its place in characters."""

    kind: LinkKind
    target: str
    label: str | None
    start: int
    end: int


class RawAnchor(NamedTuple):
    """An anchor that stands in the text itself, with its place in characters."""

    kind: AnchorKind
    name: str
    start: int
    end: int


class Inline(NamedTuple):
    """What one stretch of inline text holds."""

    text: str
    """As a reader sees it, with as many line breaks as the source."""
    links: list[RawLink]
    anchors: list[RawAnchor]
    fields: list[tuple[str, str, int]]
    """Dataview's `[key:: value]` with the offset it stands at."""


@dataclass(frozen=True)
class Dialect:
    """What differs from tool to tool or file to file."""

    references: Mapping[str, str] = field(default_factory=dict)
    """Reference definitions by label key."""
    footnotes: frozenset[str] = frozenset()
    """Labels of the footnotes that are defined; `[^a-z]` with no definition is text."""
    is_dendron: bool = False
    """Dendron's `[[label|target]]` and `#dotted.tags`."""


def scan_inline(source: str, start: int, end: int, dialect: Dialect) -> Inline:
    """Scan `source[start:end]`, the inline text of one block."""
    if not _HOT.search(source, start, end):
        return Inline(source[start:end], [], [], [])
    return _Scanner(source, start, end, dialect).run()


class _Bracket(NamedTuple):
    out: int
    """Where in the output the opener stands; the label is what follows."""
    delimiters: int
    links: int
    start: int
    is_image: bool
    field: str | None


@dataclass
class _Delimiter:
    out: int
    mark: str
    length: int
    opens: bool
    closes: bool


class _Scanner:
    """The state of one scan: output pieces, open brackets, and delimiter runs not yet matched."""

    def __init__(self, source: str, start: int, end: int, dialect: Dialect) -> None:
        self.source, self.start, self.end, self.dialect = source, start, end, dialect
        self.out: list[str] = []
        self.links: list[RawLink] = []
        self.anchors: list[RawAnchor] = []
        self.fields: list[tuple[str, str, int]] = []
        self.brackets: list[_Bracket] = []
        self.delimiters: list[_Delimiter] = []
        self.dead_brackets = 0
        """Openers below this index hold a link already; a link holds no other."""
        self.code_ends: dict[int, list[int]] | None = None
        self.unclosed: set[str] = set()
        """Closing marks that do not occur in the rest."""

    def run(self) -> Inline:
        """Scan to the end."""
        source, end, out, search = self.source, self.end, self.out, _HOT.search
        at = self.start
        while found := search(source, at, end):
            hot = found.start()
            if hot > at:
                out.append(source[at:hot])
            at = _HANDLERS[source[hot]](self, hot)
        out.append(source[at:end])
        self.match_emphasis(0)
        return Inline("".join(out), self.links, self.anchors, self.fields)

    def skip(self, at: int, stop: int, text: str = "") -> int:
        """Put out `text` in place of source[at:stop], with the line breaks that this drops; go on behind."""
        dropped = self.source.count("\n", at, stop) - text.count("\n")
        self.out.append(text + "\n" * dropped if dropped > 0 else text)
        return stop

    def literal(self, at: int) -> int:
        """The character stands for itself."""
        self.out.append(self.source[at])
        return at + 1

    def find(self, mark: str, at: int) -> int:
        """Offset of `mark` at or behind `at`, -1 when there is none; asks for an absent mark only once."""
        if mark in self.unclosed:
            return -1
        found = self.source.find(mark, at, self.end)
        if found < 0:
            self.unclosed.add(mark)
        return found

    def escape(self, at: int) -> int:
        following = self.source[at + 1 : at + 2] if at + 1 < self.end else ""
        if following in _ESCAPABLE:
            self.out.append(following)
            return at + 2
        return at + 1 if following == "\n" else self.literal(at)  # a backslash at a line's end is a break

    def code(self, at: int) -> int:
        if self.code_ends is None:
            self.code_ends = {}
            for run in _RUN["`"].finditer(self.source, self.start, self.end):
                self.code_ends.setdefault(len(run[0]), []).append(run.start())
        opening = _RUN["`"].match(self.source, at, self.end)
        behind = opening.end() if opening else at + 1
        ends = self.code_ends.get(behind - at, [])
        nearest = bisect_left(ends, behind)
        if nearest == len(ends):
            self.out.append(self.source[at:behind])
            return behind
        self.out.append(self.source[behind : ends[nearest]])
        return ends[nearest] + behind - at

    def math(self, at: int) -> int:
        found = _MATH.match(self.source, at, self.end)
        if not found:
            return self.literal(at)
        self.out.append(found[0])
        return found.end()

    def markup(self, at: int) -> int:
        if automatic := _AUTOLINK.match(self.source, at, self.end):
            if automatic[1]:
                self.links.append(RawLink("url", automatic[1], None, at, automatic.end()))
            return self.skip(at, automatic.end(), automatic[1] or automatic[2])
        if self.source.startswith("<!--", at, self.end):
            stop = self.find("-->", at + 4)
            return self.skip(at, stop + 3) if stop >= 0 else self.literal(at)
        tag = TAG.match(self.source, at, self.end)
        if not tag or not is_html(tag):
            return self.literal(at)
        if name := ANCHOR_NAME.search(tag[0]):
            self.anchors.append(RawAnchor("custom_id", name[1] or name[2] or name[3], at, tag.end()))
        return self.skip(at, tag.end(), tag_text(tag))

    def entity(self, at: int) -> int:
        found = _ENTITY.match(self.source, at, self.end)
        if not found:
            return self.literal(at)
        return self.skip(at, found.end(), " ".join(re.split(r"[\r\n]", html.unescape(found[0]))))

    def comment(self, at: int) -> int:
        stop = self.find("%%", at + 2)
        return self.skip(at, stop + 2) if stop >= 0 else self.literal(at)

    def macro(self, at: int) -> int:
        found = grammar.EMBED_MACRO.match(self.source, at, self.end)
        if not found:
            return self.literal(at)
        self.links.append(RawLink("embed", found[1].strip(), None, at, found.end()))
        return self.skip(at, found.end(), found[1].strip())

    def parenthesis(self, at: int) -> int:
        found = grammar.BLOCK_REFERENCE.match(self.source, at, self.end)
        if not found:
            return self.literal(at)
        self.links.append(RawLink("block", found[1], None, at, found.end()))
        return self.skip(at, found.end())

    def url(self, at: int) -> int:
        found = grammar.url_range(self.source, at, self.start, self.end)
        if not found:
            return self.literal(at)
        self.links.append(RawLink("url", self.source[found[0] : found[1]], None, *found))
        self.out.append(self.source[at : found[1]])
        return found[1]

    def tag(self, at: int) -> int:
        pattern = grammar.DOTTED_TAG if self.dialect.is_dendron else grammar.TAG
        found = pattern.match(self.source, at, self.end)
        name = (found[1] or found[2]).strip().rstrip("/") if found else ""
        if not found or not name.strip("0123456789/-_"):
            return self.literal(at)
        stop = found.end() if found[1] else at + 1 + len(name)
        self.links.append(RawLink("tag", name, None, at, stop))
        self.out.append("#" + name)
        return stop

    def image(self, at: int) -> int:
        if wiki := grammar.WIKILINK.match(self.source, at + 1, self.end):
            return self.wikilink(at, wiki, "embed")
        self.open_bracket(at, "![", is_image=True)
        return at + 2

    def bracket(self, at: int) -> int:
        source, end = self.source, self.end
        if wiki := grammar.WIKILINK.match(source, at, end):
            return self.wikilink(at, wiki, "wikilink")
        if (note := grammar.FOOTNOTE.match(source, at, end)) and note[1] in self.dialect.footnotes:
            return self.footnote(at, note)
        if _PRIORITY.match(source, at, end):
            self.out.append(source[at : at + 4])
            return at + 4
        if found := _FIELD.match(source, at, end):
            self.open_bracket(at, "", field=found[1].strip())
            self.out.append(found[1].strip() + ": ")
            return found.end()
        self.open_bracket(at, "[")
        return at + 1

    def footnote(self, at: int, note: re.Match[str]) -> int:
        before = self.source.rfind("\n", self.start, at) + 1 or self.start
        if self.source.startswith(":", note.end(), self.end) and not self.source[before:at].strip():
            return self.skip(at, note.end() + 1)  # the definition; the block pass has its place
        self.links.append(RawLink("footnote", note[1], None, at, note.end()))
        return self.skip(at, note.end())

    def wikilink(self, at: int, found: re.Match[str], kind: LinkKind) -> int:
        target, label = grammar.wiki_parts(found[1], label_first=self.dialect.is_dendron)
        if not target:
            return self.literal(at)
        self.links.append(RawLink(kind, target, label, at, found.end()))
        return self.skip(at, found.end(), grammar.wiki_text(target, label))

    def open_bracket(self, at: int, text: str, *, is_image: bool = False, field: str | None = None) -> None:
        self.brackets.append(_Bracket(len(self.out), len(self.delimiters), len(self.links), at, is_image, field))
        self.out.append(text)

    def close_bracket(self, at: int) -> int:
        if not self.brackets:
            return self.literal(at)
        opener = self.brackets.pop()
        if opener.field is not None:
            value = self.source[self.source.index("::", opener.start) + 2 : at].strip()
            self.fields.append((opener.field, value, opener.start))
            return at + 1
        is_dead = len(self.brackets) < self.dead_brackets and not opener.is_image
        self.dead_brackets = min(self.dead_brackets, len(self.brackets))
        target = None if is_dead else self.target_behind(opener, at)
        if target is None:
            return self.literal(at)
        self.link(opener, target)
        return self.skip(at, target.end)

    def target_behind(self, opener: _Bracket, at: int) -> grammar.Target | None:
        """The target of the bracket that closes at `at`: inline, or by reference."""
        source, end, references = self.source, self.end, self.dialect.references
        if source.startswith("(", at + 1, end) and (target := grammar.inline_target(source, at + 1, end)):
            if target.kind != "wikilink":
                return target
            return target._replace(target=grammar.wiki_parts(target.target, label_first=self.dialect.is_dendron)[0])
        if not references:
            return None
        label, stop = source[opener.start + 1 + opener.is_image : min(at, opener.start + 1002)], at + 1
        if source.startswith("[", stop, end) and (close := source.find("]", stop, min(end, stop + 1001))) >= 0:
            label, stop = source[stop + 1 : close].strip() or label, close + 1
        found = references.get(grammar.label_key(label))
        return None if found is None else grammar.Target("markdown", found, stop)

    def link(self, opener: _Bracket, target: grammar.Target) -> None:
        """Turn what follows `opener` into the label of a link or the description of an image."""
        self.match_emphasis(opener.delimiters)
        label = "".join(self.out[opener.out + 1 :])
        if opener.is_image:
            label = _IMAGE_SIZE.sub("", label)
            while len(self.links) > opener.links and self.links[-1].kind in ("url", "tag"):
                self.links.pop()
        else:
            self.dead_brackets = len(self.brackets)
            inner = self.links[opener.links :]
            self.links[opener.links :] = [link for link in inner if link.kind not in ("url", "tag")]
        self.out[opener.out :] = [label]
        self.links.append(RawLink(target.kind, target.target, " ".join(label.split()) or None, opener.start, target.end))

    def delimiter(self, at: int) -> int:
        source, mark = self.source, self.source[at]
        run = _RUN[mark].match(source, at, self.end)
        behind = run.end() if run else at + 1
        before = source[at - 1] if at > self.start else " "
        after = source[behind] if behind < self.end else " "
        opens = not after.isspace() and (_is_word(after) or not _is_word(before) or (mark != "_" and before > _CJK))
        closes = not before.isspace() and (_is_word(before) or not _is_word(after) or (mark != "_" and after > _CJK))
        if mark == "_":
            opens, closes = opens and not (closes and _is_word(before)), closes and not (opens and _is_word(after))
        if (opens or closes) and (mark in "*_" or behind - at == 2):
            self.delimiters.append(_Delimiter(len(self.out), mark, behind - at, opens, closes))
        self.out.append(source[at:behind])
        return behind

    def match_emphasis(self, bottom: int) -> None:
        """Take the marks of matched pairs out of the output, for the delimiters from index `bottom` on; forget those."""
        openers: dict[str, list[_Delimiter]] = {}
        for closer in self.delimiters[bottom:]:
            waiting = openers.setdefault(closer.mark, [])
            while closer.closes and closer.length and waiting:
                opener = waiting[-1]
                used = min(opener.length, closer.length)
                for side in (opener, closer):
                    side.length -= used
                    self.out[side.out] = closer.mark * side.length
                if not opener.length:
                    waiting.pop()
            if closer.opens and closer.length:
                waiting.append(closer)
        del self.delimiters[bottom:]


def _is_word(character: str) -> bool:
    """Neither blank nor punctuation, as the rules for emphasis see it."""
    return character.isalnum()


_Handler = Callable[[_Scanner, int], int]
_HANDLERS: MappingProxyType[str, _Handler] = MappingProxyType(
    {
        "\\": _Scanner.escape,
        "`": _Scanner.code,
        "[": _Scanner.bracket,
        "]": _Scanner.close_bracket,
        "!": _Scanner.image,
        "<": _Scanner.markup,
        "&": _Scanner.entity,
        "#": _Scanner.tag,
        "%": _Scanner.comment,
        "{": _Scanner.macro,
        "(": _Scanner.parenthesis,
        ":": _Scanner.url,
        "$": _Scanner.math,
        **dict.fromkeys("*_~=", _Scanner.delimiter),
    }
)
