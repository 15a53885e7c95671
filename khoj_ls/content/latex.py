"""LaTeX as entries: a section per sectioning command, in lines of the file; labels are anchors."""

from __future__ import annotations

import re

from khoj_ls.content.fields import with_fields
from khoj_ls.content.latex_reader import LatexReader
from khoj_ls.content.outlined import Head, outlined
from khoj_ls.content.said_dates import said_date
from khoj_ls.core.text import LineIndex, decode_source
from khoj_ls.core.types import ParsedFile


class LatexProcessor:
    """Reads .tex files: what stands in `document`, or all of a file that is included by others."""

    name = "latex"
    extensions: tuple[str, ...] = (".tex", ".ltx", ".latex")
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data`; `path` decides nothing. Never raises on content."""
        text, problems = decode_source(data)
        index = LineIndex(text)
        reader = LatexReader(text, index)
        top = min((section.depth for section in reader.sections), default=1)
        shown = [" ".join(line.split()) for line in reader.said.split("\n")][: len(index)]
        shown += [""] * (len(index) - len(shown))
        heads = [Head(each.line, each.heading, each.depth - top + 1, lines=0) for each in reader.sections]
        fields = [(name, said_date(value) or value if name == "date" else value) for name, value in reader.fields]
        parsed = outlined(
            self.name,
            None,
            text,
            heads,
            shown=[re.sub(r"\s+([.,;:!?])", r"\1", line) for line in shown],
            links=reader.found.links,
            anchors=reader.found.anchors,
            problems=problems,
        )
        return with_fields(parsed, fields)
