"""Text of notes in hovers: escaped where the client renders Markdown, as it is where it does not.

What stands in a note must look as it stands there, and do nothing: no markup of its own, no image, no HTML. Blocks of code are
shown as such, between fences that nothing in them can close.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsprotocol import types

from khoj_ls.core.places import Place, fragment
from khoj_ls.lsp.server import KhojServer

_INLINE = re.compile(r"([\\`*\[\]<~|]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))")
_AT_START = re.compile(r"^(\s*)([#+>=-]|\d{1,9}(?=[.)]))")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp")
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}(?=[^`]*$)|~{3,})[ \t]*(?P<info>.*)")
_ORG_BLOCK = re.compile(r"(?P<indent>[ \t]*)\#\+begin_(?P<kind>src|example)(?![^\s])[ \t]*(?P<info>.*)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z][\w+#.-]{0,30}(?!\S)", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


def escaped(text: str) -> str:
    """Text within a line so that a Markdown renderer (CommonMark 0.31, GFM) shows it as it is."""
    return _INLINE.sub(r"\\\1", _CONTROL.sub(" ", text))


def escaped_line(text: str) -> str:
    """A whole line so that it is shown as it is: it begins no list, heading, quote or rule either."""
    line = escaped(text)
    return _AT_START.sub(lambda found: found[1] + (found[2] + "\\" if found[2].isdigit() else "\\" + found[2]), line)


def fenced(lines: Sequence[str], language: str = "") -> str:
    """Lines as a block of code that does nothing: no run of backticks in it is as long as its fence (CommonMark 0.31, 4.5)."""
    inside = [_CONTROL.sub(" ", line.replace("\n", " ")) for line in lines]
    longest = max((len(run) for line in inside for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *inside, fence])


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str | None, Sequence[str]]]:
    """The lines in runs: those of a block of code, without its fences, with the language; others with None."""
    begun = at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at]) or _ORG_BLOCK.match(lines[at])
        if opening is None:
            at += 1
            continue
        closing = _closing(opening)
        end = next((n for n in range(at + 1, len(lines)) if closing.fullmatch(lines[n])), None)
        last = end if end is not None else len(lines) - (lines[-1] == "…" and at + 1 < len(lines))  # cut short within it
        if begun < at:
            yield None, lines[begun:at]
        language = _LANGUAGE.match(opening["info"])
        yield language[0] if language else "", [_outdented(line, len(opening["indent"])) for line in lines[at + 1 : last]]
        begun = at = last if end is None else last + 1
        if end is None:
            break
    if begun < len(lines):
        yield None, lines[begun:]


def _closing(opening: re.Match[str]) -> re.Pattern[str]:
    if opening.re is _ORG_BLOCK:
        return re.compile(rf"[ \t]*\#\+end_{opening['kind']}[ \t]*", re.IGNORECASE)
    fence = opening["fence"]
    return re.compile(rf"[ \t]*{fence[0]}{{{len(fence)},}}[ \t]*")


def _outdented(line: str, count: int) -> str:
    """`line` without the blanks that its block is indented by."""
    blanks = len(line) - len(line.lstrip(" \t"))
    return line[min(count, blanks) :]


@dataclass(frozen=True)
class Writer:
    """Writes hover text in the one format that the client takes."""

    markdown: bool

    def text(self, text: str) -> str:
        """A piece of a note within a line."""
        return escaped(text) if self.markdown else _CONTROL.sub(" ", text)

    def strong(self, text: str) -> str:
        """The same, made to stand out."""
        return f"**{escaped(text.strip()) or ' '}**" if self.markdown else self.text(text)

    def link(self, text: str, uri: str, line: int = 1, place: Place | None = None) -> str:
        """A link to a line of a file, or its page or other `place`; its name alone where links cannot be written."""
        if not self.markdown:
            return self.text(text)
        return f"[{escaped(text.strip()) or '…'}]({uri.replace('(', '%28').replace(')', '%29')}{fragment(place, line)})"

    def image(self, name: str, uri: str) -> list[str]:
        """The lines that show a picture, where the client may do that."""
        shown = self.markdown and name.lower().endswith(_PICTURES)
        return ["", "!" + self.link(name.rpartition("/")[2], uri)] if shown else []

    def item(self, text: str) -> str:
        """One of a list, made of pieces that are written already."""
        return f"- {text}"

    def rule(self) -> str:
        """What divides two parts."""
        return "\n---\n" if self.markdown else ""

    def lines(self, lines: Sequence[str]) -> str:
        """Lines of a note, each on its own; blocks of code as such."""
        if not self.markdown:
            return "\n".join(self.text(line) for line in lines)
        # A backslash at the end of a line is a break too, but some clients show it.
        return "\n".join(
            fenced(part, language) if language is not None else "  \n".join(escaped_line(line.strip()) for line in part)
            for language, part in _blocks(lines)
        )

    def hover(self, parts: list[str]) -> types.MarkupContent:
        """The finished text."""
        kind = types.MarkupKind.Markdown if self.markdown else types.MarkupKind.PlainText
        return types.MarkupContent(kind=kind, value="\n".join(parts).strip())


def hover_writer(server: KhojServer) -> Writer:
    """What the client takes in hovers; plain text where it does not say (LSP 3.17, HoverClientCapabilities)."""
    text_document = server.client_capabilities.text_document
    formats = (text_document.hover.content_format if text_document and text_document.hover else None) or []
    return Writer(types.MarkupKind.Markdown in formats)
