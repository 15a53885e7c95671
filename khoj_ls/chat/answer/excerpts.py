"""The answer where no model is set: what was found, best first, quoted and cited."""

from __future__ import annotations

import re
from collections.abc import Sequence

from khoj_ls.chat.answer.citations import MARK
from khoj_ls.chat.prompt.cutting import cut, sought_in
from khoj_ls.chat.prompt.metadata import without_metadata
from khoj_ls.chat.types import Source
from khoj_ls.core.text import text_lines

ADD_A_MODEL = (
    "No chat model is set: this is what your notes say. For written answers set `chat.model`, as in "
    "`khoj-ls config set chat.model ollama/llama3.1:8b` (docs/chat.md)."
)
NO_MODEL_AT_ALL = "No chat model is set, and your notes were not to be asked: there is nothing to answer from."
NOTHING_FOUND = "Your notes hold nothing about this: no passage was found. Try other words."
_MOST_CHARS = 500


def excerpts(question: str, sources: Sequence[Source]) -> str:
    """Passages as quotations under their places, each with its number."""
    if not sources:
        return NOTHING_FOUND
    sought = sought_in(question)
    parts = []
    for source in sources:
        # A heading of its own is told by the outline.
        text = without_metadata(source.text, source.line).strip("\r\n")
        part = cut(text, source.line, _MOST_CHARS, len, focus=None, sought=sought)
        lines = [line.rstrip() for line in text_lines(part.text)] if part else []
        if source.outline and len(lines) > 1 and re.match(r"(?:#+|\*+)\s", lines[0]):
            lines = lines[1:]
        # What looks like a citation in a note is the note's own.
        quoted = "\n".join(f"> {MARK.sub(_escaped, line)}".rstrip() for line in _without_blank_ends(lines))
        parts.append(f"**{_named(source)}** [{source.number}]\n\n{quoted}".rstrip())
    return "\n\n".join(parts)


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _without_blank_ends(lines: list[str]) -> list[str]:
    kept = [at for at, line in enumerate(lines) if line.strip()]
    return lines[kept[0] : kept[-1] + 1] if kept else []


def _named(source: Source) -> str:
    outline = [heading for heading in source.outline if heading != source.title]
    return " > ".join(re.sub(r"[*\[\]【］［】`\n]", " ", each).strip() for each in (source.title or source.path, *outline))
