"""What a model reads of text that others wrote: words, never structure.

Notes may hold text that is meant to look like the end of a message to a model's template (`<|im_end|>`), or that people do not
see (tag characters, marks that turn the order of writing round). Templates get a blank into them, and what is invisible is left
out.
"""

from __future__ import annotations

import re
import secrets

# Zero width and direction marks, invisible operators, tag characters. Joiners stay: scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Tokens of chat templates: ChatML and its kin, Llama, Mistral, Gemma, DeepSeek.
_TEMPLATE = re.compile(
    r"<(?=[|｜])|(?<=[|｜])>"
    r"|(?<=\[)(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG|REFERENCE_DOC_\d+)\])"
    r"|(?<=<)(?=<\s*/?\s*SYS\s*>)"
    r"|(?<=<)(?=/?(?:s|bos|eos|pad|unk|start_of_turn|end_of_turn|start_of_image|end_of_image|think|tool_call|tool_response|"
    r"function_calls?)>)",
    re.IGNORECASE,
)


def words_only(text: str) -> str:
    """`text` with nothing in it that a model's template could take for its own."""
    return _TEMPLATE.sub(_parted, _INVISIBLE.sub("", text))


def _parted(found: re.Match[str]) -> str:
    return {"<": "< ", ">": " >"}.get(found[0], " ")


def one_line(text: str, most: int = 200) -> str:
    """`words_only` on one line of at most `most` characters: for paths and headings."""
    line = " ".join(words_only(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def fresh_mark(*texts: str) -> str:
    """A word that stands in none of `texts` and that nobody can foresee: what lies between two of it is quoted."""
    while True:
        mark = f"q{secrets.token_hex(6)}"
        if not any(mark in text for text in texts):
            return mark
