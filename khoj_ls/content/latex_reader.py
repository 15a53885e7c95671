"""One pass over a LaTeX file: what a reader sees of it, line by line, its headings, links and anchors.

No macro is expanded and no file read. Formulas stay as they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from khoj_ls.content import latex_words as words
from khoj_ls.content.line_markup import Found
from khoj_ls.core.text import LineIndex

_TOKEN = re.compile(
    r"\\(?P<command>[A-Za-z@]+)(?P<star>\*?)|\\(?P<sign>[^A-Za-z@\r\n]|(?=[\r\n]|$))|(?P<comment>%[^\r\n]*)|(?P<brace>[{}])"
    r"|(?P<math>\$\$?)|(?P<dash>---?)|(?P<quote>``|'')|(?P<other>[~&])"
)
_BRACES = re.compile(r"\\.|%[^\r\n]*|[{}]", re.S)
_BLANK = re.compile(r"[ \t]*(?:\r\n|\r|\n)?[ \t]*")
_OPTION = re.compile(r"\[[^\[\]{}]{0,300}(?:\{[^{}]{0,300}\}[^\[\]{}]{0,300}){0,20}\]")
_BREAKS = re.compile(r"\r\n|\r|\n")
_VERB = re.compile(r"(?P<fence>[^\sA-Za-z*])(?P<said>[^\r\n]{0,1000}?)(?P=fence)")
_PARAGRAPH = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)")
_LETTER = re.compile(r"\{?\s{0,2}(\\[ij]\b|[^\W\d_])\s{0,2}\}?")
_LABEL = re.compile(r"\\label\{([^{}]{1,200})\}")
_MATH_END = 5_000
_LONGEST_HEADING = 500


@dataclass(frozen=True)
class Section:
    """A heading: one at most in a line, as further ones are text."""

    line: int
    """From 1."""
    heading: str
    depth: int


class LatexReader:
    """Reads one file when it is made."""

    def __init__(self, source: str, index: LineIndex) -> None:
        """Read all of `source`. Never raises; takes linear time."""
        self.found = Found(index)
        self.sections: list[Section] = []
        self.fields: list[tuple[str, str]] = []
        self._source = source
        self._said: list[str] = []
        self._closing = _closing_braces(source)
        self._labels = frozenset(_LABEL.findall(source))
        self._in_math = 0
        begin = source.find("\\begin{document}")
        self._body = begin if begin >= 0 else 0
        self._read()

    @property
    def said(self) -> str:
        """What the file says, in as many lines as it has."""
        return "".join(self._said)

    def _read(self) -> None:
        at, source = 0, self._source
        while at < len(source):
            token = _TOKEN.search(source, at)
            start = token.start() if token else len(source)
            self._say(source[at:start], at, start)
            if token is None:
                return
            after = self._token(token)
            if after <= start:  # the document has ended
                self._say("", start, len(source))
                return
            at = after

    def _say(self, text: str, start: int, end: int) -> None:
        """Show `text` for characters [start, end): what stands before the document is not shown."""
        breaks = len(_BREAKS.findall(self._source, start, end))
        shown = _BREAKS.sub("\n", text) if start >= self._body else ""
        self._said.append(shown + "\n" * max(0, breaks - shown.count("\n")))

    def _token(self, token: re.Match[str]) -> int:
        """Read what begins with `token`; where to go on, 0 at the end of the document."""
        start, end = token.span()
        if token["command"]:
            return self._command(token["command"], start, end)
        if token["sign"] is not None:
            return self._sign(token["sign"], start, end)
        if token["math"]:
            closing = self._source.find(token["math"], end, end + _MATH_END)
            blank = _PARAGRAPH.search(self._source, end, closing) if closing >= 0 else None
            end = closing + len(token["math"]) if closing >= 0 and not blank else end
            self._say(self._source[start:end], start, end)
            return end
        self._say(token[0] if self._in_math and not token["comment"] else _PLAIN.get(token[0], ""), start, end)
        return end

    def _sign(self, sign: str, start: int, end: int) -> int:
        if sign in words.ACCENTS and (letter := self._letter(end)):
            self._say(words.accented(sign, letter[0]), start, letter[1])
            return letter[1]
        said = {"\\": " ", " ": " ", ",": " ", ";": " ", "[": "\\[", "]": "\\]", "(": "\\(", ")": "\\)"}.get(sign)
        self._in_math = max(0, self._in_math + (sign in ("[", "(")) - (sign in ("]", ")")))
        self._say(sign if said is None and sign in "&%$#_{}" else said or "", start, end)
        return end

    def _letter(self, at: int) -> tuple[str, int] | None:
        """The letter that an accent before `at` goes on, and where it ends."""
        found = _LETTER.match(self._source, at)
        return (found[1], found.end()) if found else None

    def _command(self, name: str, start: int, end: int) -> int:
        if name in ("begin", "end"):
            return self._environment(name == "begin", start, end)
        if name == "verb" and (verb := _VERB.match(self._source, end)):
            self._say(verb["said"], start, verb.end())
            return verb.end()
        if name in words.SECTIONS or name in words.FRAMES:
            return self._section(name, start, end)
        if name in words.SAID_ONCE:
            return self._said_once(words.SAID_ONCE[name], start, end)
        if name in _LINKING:
            return self._link(name, start, end)
        if len(name) == 1 and name in words.ACCENTS and (letter := self._letter(end)) and self._source[end] in "{ ":
            self._say(words.accented(name, letter[0]), start, letter[1])
            return letter[1]
        if name in words.HIDDEN:
            return self._hide(name, start, end)
        if self._in_math:
            self._say(self._source[start:end], start, end)
            return end
        option = _OPTION.match(self._source, end)
        behind = option.end() if option else end
        said = words.SIGNS.get(name, "")
        self._say(said, start, behind)
        if name in words.SIGNS and self._source.startswith("{}", behind):
            return behind + 2
        # Blanks that end the name of a letter are none of the word: `Stra\ss e`.
        return self._behind_blanks(behind) if said.isalpha() and len(said) == 1 else behind

    def _hide(self, name: str, start: int, end: int) -> int:
        at = self._behind_option(end)
        if name == "def" and (brace := self._source.find("{", at, at + 200)) >= 0:
            at = brace
        while (group := self._group(at)) is not None:
            if name == "label":
                self.found.anchor(self._source[slice(*group)], start, group[1] + 1)
            at = self._behind_option(group[1] + 1)
            if name in words.FIRST_HIDDEN or name == "label":
                break
        self._say("", start, at)
        return at

    def _section(self, name: str, start: int, end: int) -> int:
        group = self._group(self._behind_option(end))
        if group is None:
            self._say("", start, end)
            return end
        after = group[1] + 1
        heading = plain(self._source[group[0] : min(group[1], group[0] + _LONGEST_HEADING)])
        for label in _LABEL.finditer(self._source, *group):
            self.found.anchor(label[1], *label.span())
        depth = words.SECTIONS.get(name) or words.FRAMES[name]
        line = self.found.index.line_of_char(start)
        again = bool(self.sections) and self.sections[-1].line == line
        if heading and start >= self._body and not again:
            self.sections.append(Section(line, heading, depth))
        self._say(f" {heading} " if again else "", start, after)
        return after

    def _said_once(self, field: str, start: int, end: int) -> int:
        group = self._group(self._behind_option(end))
        if group is None:
            self._say("", start, end)
            return end
        inside = self._source[group[0] : min(group[1], group[0] + 2_000)]
        parts = re.split(r"\\and\b|\\AND\b", inside) if field == "author" else [inside]
        self.fields += [(field, said) for part in parts if (said := plain(part)) and said != "today"]
        self._say("", start, group[1] + 1)
        return group[1] + 1

    def _link(self, name: str, start: int, end: int) -> int:
        group = self._group(self._behind_option(end))
        if group is None:
            self._say("", start, end)
            return end
        target = self._source[slice(*group)].strip()
        after = group[1] + 1
        if len(target) > 2_000:
            self._say("", start, after)
            return after
        targets = [each.strip() for each in target.split(",") if each.strip()]
        said = ""
        if name in words.CITATIONS:
            for each in targets:
                self.found.link(f"@{each.lstrip('@')}", None, start, after, "citation")
            said = f"[{', '.join(targets)}]" if name != "nocite" else ""
        elif name in words.REFERENCES:
            for each in targets:
                if each in self._labels:
                    self.found.link(f"#{each}", None, start, after, "file")
            said = target
        elif name in ("href", "url", "nolinkurl"):
            target = target.replace("\\%", "%").replace("\\#", "#").replace("\\_", "_").replace("\\&", "&")
            label = self._group(after) if name == "href" else None
            self.found.link(target, plain(self._source[slice(*label)][:500]) if label else None, start, after)
            said = target if name == "url" else ""
        else:
            for each in targets:
                self.found.link(each, None, start, after, "file")
        self._say(said, start, after)
        return after

    def _environment(self, begins: bool, start: int, end: int) -> int:
        group = self._group(end)
        if group is None:
            self._say("", start, end)
            return end
        name, at = self._source[slice(*group)].strip(), group[1] + 1
        if not begins:
            self._in_math = max(0, self._in_math - (name in words.MATH))
            self._say("", start, at)
            return 0 if name == "document" else at
        self._in_math += name in words.MATH
        option = _OPTION.match(self._source, at)
        at = option.end() if option else at
        while name in words.WITH_ARGUMENTS and (argument := self._group(at)) is not None:
            at = argument[1] + 1
        title = self._group(at) if name == "frame" else None
        self._say("", start, at)
        if title is not None and self._source[at] == "{":
            return self._section("frametitle", at, at)
        if name not in words.VERBATIM | words.UNREAD:
            return at
        closing = self._source.find(f"\\end{{{name}}}", at)
        closing = closing if closing >= 0 else len(self._source)
        self._say(self._source[at:closing] if name in words.VERBATIM else "", at, closing)
        return closing

    def _behind_blanks(self, at: int) -> int:
        while self._source[at : at + 1] in (" ", "\t"):
            at += 1
        return at

    def _behind_option(self, at: int) -> int:
        """Behind the star and the options in brackets at `at`."""
        while option := _OPTION.match(self._source, at):
            at = option.end()
        return at

    def _group(self, at: int) -> tuple[int, int] | None:
        """The inside of the group in braces at `at`, but for blanks; None when there is none."""
        blank = _BLANK.match(self._source, at)
        at = blank.end() if blank else at
        closing = self._closing.get(at)
        return (at + 1, closing) if closing is not None else None


_LINKING = (
    words.CITATIONS | words.REFERENCES | words.INPUTS | words.PICTURES | frozenset({"href", "url", "nolinkurl"})
) - frozenset({"hyperref"})
_PLAIN = MappingProxyType({"~": " ", "&": " | ", "--": "–", "---": "—", "``": "“", "''": "”"})
_INLINE = re.compile(
    r"\\([`'^\"~=.])\{?\s?(\\[ij]\b|[^\W\d_])\}?|\\([A-Za-z@]+)\*?\s{0,3}(?:\{\})?|\\(.)|[{}]|%[^\r\n]*|---?|``|''|~"
)


def plain(text: str) -> str:
    """A short text, such as a heading, without its markup, in one line."""

    def said(match: re.Match[str]) -> str:
        if match[1]:
            return words.accented(match[1], match[2])
        if match[3]:
            return words.SIGNS.get(match[3], "")
        if match[4]:
            return " " if match[4] in "\\,; " else match[4]
        return _PLAIN.get(match[0], "")

    text = re.sub(r"\\(?:label|index|thanks|footnote|vspace\*?|inst)\{[^{}]{0,500}\}", "", text)
    return " ".join(_INLINE.sub(said, text).split())


def _closing_braces(source: str) -> dict[int, int]:
    """Where the group ends that begins at a brace, for all that end."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for each in _BRACES.finditer(source):
        if each[0] == "{":
            opened.append(each.start())
        elif each[0] == "}" and opened:
            found[opened.pop()] = each.start()
    return found
