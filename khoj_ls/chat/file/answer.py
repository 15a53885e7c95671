"""An answer as a chat file shows it: citations as links, headings below those of the file, and what is told beneath it.

Models write Markdown; in an Org file it becomes Org. Nothing here changes what is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from khoj_ls.chat.export.text import CODE
from khoj_ls.chat.file.layout import Format
from khoj_ls.chat.types import Citation, Done, Failed, Source
from khoj_ls.core.places import Place, fragment, spoken
from khoj_ls.links.encode import encode

_HELD = "\x02{}\x03"
"""Stands for a link while the text around it is rewritten; such characters are taken out of answers."""
_HOLDER = re.compile("\x02(\\d+)\x03")
_FENCE = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*([^\s`]*)[^`\r\n]*")
_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_IMAGE_OR_LINK = re.compile(r"(!?)\[([^\[\]\n]*)\]\(<?([^()<>\s]*(?:\([^()\s]*\)[^()<>\s]*)*)>?(?:[ \t]+\"[^\"\n]*\")?\)")
# At most so long, as in CODE.
_BOTH = re.compile(r"\*\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*\*")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*\x04])(\*|_)(?=[^\s*_])([^*_\n]+?)(?<=\S)\1(?![\w*])")
_STRUCK = re.compile(r"~~(?=\S)(.{1,500}?)(?<=\S)~~")
_ZERO_WIDTH = "\u200b"
"""Before stars that Markdown takes for stars (Org manual, "Escape Character")."""
_SHOWN_STATEMENT = 100
_DEEPER: Mapping[Format, int] = MappingProxyType({"markdown": 2, "org": 1})
"""How far below their own level the headings of an answer stand in a chat file."""


def file_link(format: Format, file: Path, line: int | None, words: str, place: Place | None = None) -> str:
    """A link to a line of a file, or to a page of one that is no text, as any editor for the format follows it."""
    words = " ".join(words.split())
    if format == "org":
        lined = line and (place is None or place.lined)
        address = encode(str(file), "org") + (f"::{line}" if lined else "")
        return f"[[file:{address}][{words.replace('[', '(').replace(']', ')')}]]"
    escaped = re.sub(r"([\\\[\]<`])", r"\\\1", words)  # a title may hold HTML that fetches a picture
    address = file.as_uri().replace("(", "%28").replace(")", "%29")
    within = (f"#L{line}" if line else "") if place is None or place.lined else fragment(place, 1)
    return f"[{escaped}]({address}{within})"


def answer_text(format: Format, root: Path, text: str, citations: Sequence[Citation]) -> str:
    """The text of an answer, its citations linked to the files below `root`."""
    pieces: list[str] = []
    links: list[str] = []
    at = 0
    for citation in sorted(citations, key=lambda each: each.start):
        if citation.start < at or citation.end > len(text):  # two sources named by one mark: the first is linked
            continue
        words = text[citation.start : citation.end].strip().strip("[]^") or str(citation.number)
        pieces += [_cleaned(text[at : citation.start]), _HELD.format(len(links))]
        links.append(file_link(format, root / citation.path, citation.line, words, citation.place))
        at = citation.end
    pieces.append(_cleaned(text[at:]))
    shown = "".join(pieces)
    shown = org_of(shown, level=_DEEPER["org"]) if format == "org" else _demoted(shown, _DEEPER["markdown"])
    return _HOLDER.sub(lambda found: links[int(found[1])], shown).strip()


def notes_below(format: Format, root: Path, end: Done | Failed, sources: Sequence[Source]) -> str:
    """What is told below an answer: its sources, what has none, what was taken out, how it ended."""
    if isinstance(end, Failed):
        why = "Stopped." if end.code == "khoj.cancelled" else f"Not answered: {_one_line(end.message)}"
        return f"{_strong(format, why)} Ask again with the code action “Ask again”."
    cited = {citation.number for citation in end.citations}
    listed = [source for source in sources if source.number in cited or not cited]
    blocks = []
    if listed:
        named = "Sources" if cited else "Passages given"
        blocks.append([f"{_strong(format, named)}", "", *(_source(format, root, source) for source in listed)])
    if end.unsupported:
        told = [f"- {_short(statement.text, format)}" for statement in end.unsupported]
        blocks.append([_strong(format, "Without a source"), "", *told])
    if end.removed:
        what = ", ".join(end.removed)
        blocks.append([f"Taken out, as no source has that number: {what}"])
    if end.reason != "stop":
        why = "it is as long as was allowed" if end.reason == "length" else "the service cut it off"
        blocks.append([f"The answer ends here because {why}."])
    blocks += [[_one_line(notice)] for notice in end.notices if notice.strip() not in end.text]
    if end.model:
        blocks.append([_price(format, end)])
    return "\n\n".join("\n".join(block) for block in blocks)


def with_own_headings(format: Format, shown: str) -> str:
    """An answer as a chat file shows it with its headings at the levels they were written at; blocks must not be in it."""
    sign, by = ("*", _DEEPER["org"]) if format == "org" else ("#", _DEEPER["markdown"])
    return re.sub(rf"^{re.escape(sign) * by}(?={re.escape(sign)}+[ \t])", "", shown, flags=re.MULTILINE)


def org_of(markdown: str, level: int = 0) -> str:
    """Markdown as Org; its headings stand `level` below the top, and nothing else becomes one."""
    lines: list[str] = []
    fence, closing, quoted = "", "", False
    for line in markdown.split("\n"):
        found = _FENCE.fullmatch(line.rstrip())
        if fence:
            closes = found is not None and found[2].startswith(fence) and not found[3]
            lines.append(closing if closes else re.sub(r"^([ \t]*)(,*)(\*|#\+)", r"\1,\2\3", line))
            fence = "" if closes else fence
            continue
        if quoted and not line.startswith(">"):
            lines.append("#+end_quote")
            quoted = False
        if found:
            fence = found[2]
            closing = "#+end_src" if found[3] else "#+end_example"
            lines.append(f"#+begin_src {found[3]}" if found[3] else "#+begin_example")
        elif heading := _HEADING.fullmatch(line.rstrip()):
            lines.append(f"{'*' * (len(heading[1]) + level)} {_org_inline(heading[2])}")
        elif line.startswith(">"):
            lines += [] if quoted else ["#+begin_quote"]
            quoted = True
            lines.append(_org_line(line[1:].removeprefix(" ")))
        else:
            lines.append(_org_line(line))
    if fence:  # it is still being written
        lines.append(closing)
    return "\n".join([*lines, "#+end_quote"] if quoted else lines)


def _org_line(line: str) -> str:
    if re.match(r"[*+] ", line):
        return "- " + _org_inline(line[2:])
    written = _org_inline(line)
    return _ZERO_WIDTH + written if re.match(r"\*+ ", written) else written


def _org_inline(text: str) -> str:
    """Markup within a line; code stays as it is."""
    pieces, at = [], 0
    for code in CODE.finditer(text):
        sign = "~" if "~" not in code[2] else "="
        pieces += [_org_markup(text[at : code.start()]), f"{sign}{code[2].strip()}{sign}"]
        at = code.end()
    return "".join([*pieces, _org_markup(text[at:])])


def _org_markup(text: str) -> str:
    text = _IMAGE_OR_LINK.sub(lambda found: _org_link(found[1], found[2], found[3]), text)
    text = _BOTH.sub("\x04/\\1/\x05", text)
    text = _STRONG.sub("\x04\\2\x05", text)
    text = _EMPHASIS.sub(r"/\2/", text)
    text = _STRUCK.sub(r"+\1+", text)
    return text.replace("\x04", "*").replace("\x05", "*")


def _org_link(image: str, words: str, target: str) -> str:
    place = encode(target, "org")
    return f"[[{place}]]" if image or not words.strip() else f"[[{place}][{words}]]"


def _demoted(markdown: str, levels: int) -> str:
    """Markdown whose headings stand `levels` deeper, so that they lie within the answer's own."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        found = _FENCE.fullmatch(line.rstrip())
        if fence:
            fence = "" if found and found[2].startswith(fence) and not found[3] else fence
        elif found:
            fence = found[2]
        elif heading := _HEADING.fullmatch(line):
            line = f"{'#' * min(6, len(heading[1]) + levels)} {heading[2]}"
        lines.append(line)
    if fence:  # not closed: the rest of the file would be code
        lines.append(fence)
    return "\n".join(lines)


def _source(format: Format, root: Path, source: Source) -> str:
    name = " › ".join([source.title or source.path, *(part for part in source.outline if part != source.title)])
    where = f", {spoken(source.place)}" if source.place else ""
    return f"- {source.number}: {file_link(format, root / source.path, source.line, name, source.place)}{where}"


def _price(format: Format, end: Done) -> str:
    said = [end.model]
    if end.usage is not None:
        about = "about " if end.usage.estimated else ""
        said.append(f"{about}{end.usage.input_tokens} tokens read, {end.usage.output_tokens} written")
    if end.cost is not None:
        said.append(f"${end.cost:.4f}")
    return _faint(format, ", ".join(said))


def _strong(format: Format, text: str) -> str:
    return f"*{text}*" if format == "org" else f"**{text}**"


def _faint(format: Format, text: str) -> str:
    return f"/{text}/" if format == "org" else f"*{text}*"


def _short(text: str, format: Format) -> str:
    text = _one_line(text)
    text = text if len(text) <= _SHOWN_STATEMENT else text[:_SHOWN_STATEMENT].rstrip() + "…"
    return org_of(text) if format == "org" else text


def _one_line(text: str) -> str:
    return " ".join(_cleaned(text).split())


def _cleaned(text: str) -> str:
    return text.translate({2: None, 3: None, 4: None, 5: None})
