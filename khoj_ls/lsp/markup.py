"""Text of notes in hovers: escaped where the client renders Markdown, as it is where it does not.

What stands in a note must look as it stands there, and do nothing: no markup of its own, no image, no HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsprotocol import types

from khoj_ls.lsp.server import KhojServer

_INLINE = re.compile(r"([\\`*\[\]<~|]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;))")
_AT_START = re.compile(r"^(\s*)([#+>=-]|\d{1,9}(?=[.)]))")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u2029]")


def escaped(text: str) -> str:
    """Text within a line so that a Markdown renderer (CommonMark 0.31, GFM) shows it as it is."""
    return _INLINE.sub(r"\\\1", _CONTROL.sub(" ", text))


def escaped_line(text: str) -> str:
    """A whole line so that it is shown as it is: it begins no list, heading, quote or rule either."""
    line = escaped(text)
    return _AT_START.sub(lambda found: found[1] + (found[2] + "\\" if found[2].isdigit() else "\\" + found[2]), line)


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

    def link(self, text: str, uri: str, line: int = 1) -> str:
        """A link to a line of a file; its name alone where links cannot be written."""
        if not self.markdown:
            return self.text(text)
        place = f"#L{line}" if line > 1 else ""
        return f"[{escaped(text.strip()) or '…'}]({uri.replace('(', '%28').replace(')', '%29')}{place})"

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

    def lines(self, lines: tuple[str, ...]) -> str:
        """Lines of a note, each on its own."""
        # A backslash at the end is a break too, but some clients show it.
        if self.markdown:
            return "  \n".join(escaped_line(line.strip()) for line in lines)
        return "\n".join(self.text(line) for line in lines)

    def hover(self, parts: list[str]) -> types.MarkupContent:
        """The finished text."""
        kind = types.MarkupKind.Markdown if self.markdown else types.MarkupKind.PlainText
        return types.MarkupContent(kind=kind, value="\n".join(parts).strip())


def hover_writer(server: KhojServer) -> Writer:
    """What the client takes in hovers; plain text where it does not say (LSP 3.17, HoverClientCapabilities)."""
    text_document = server.client_capabilities.text_document
    formats = (text_document.hover.content_format if text_document and text_document.hover else None) or []
    return Writer(types.MarkupKind.Markdown in formats)
