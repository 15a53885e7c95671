"""A conversation as a file of its own: Markdown, Org, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from khoj_ls.chat.export.markdown import markdown
from khoj_ls.chat.export.org import org
from khoj_ls.chat.kept.records import KeptConversation, KeptTurn
from khoj_ls.core.errors import UsageError

FORMATS = ("markdown", "org", "json")

_EDITORS = re.compile(r"local variables:|-\*-|(?<!\S)(?:vim?|ex):(?!:)", re.IGNORECASE)
"""What Emacs and Vim read settings and code from, wherever it stands near the ends of a file."""


def export(conversation: KeptConversation, form: str, root: Path, zone: tzinfo | None = None) -> str:
    """The conversation about the vault at `root` as `form`, with times of `zone` (None: of this machine).

    Markdown and Org hold the turns that hold, citations and sources as links to the notes; JSON holds everything. Raises
    UsageError for other forms.
    """
    writer = _WRITERS.get(form)
    if writer is None:
        raise UsageError(f"a conversation is exported as {', '.join(FORMATS)}, not as {form}")
    text = writer(conversation, root, zone)
    return text if form == "json" else _EDITORS.sub(lambda found: f"{found[0][:-1]}\u200b{found[0][-1]}", text)


def _json(conversation: KeptConversation, root: Path, zone: tzinfo | None) -> str:
    value = {
        **_times(msgspec.to_builtins(conversation), "created", "updated"),
        "vault": str(root),
        "turns": [_turn(turn) for turn in conversation.turns],
        "superseded": [_turn(turn) for turn in conversation.superseded],
    }
    # As in `kept`: names of files may hold bytes that are no text.
    text = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    return text + "\n"


def _turn(turn: KeptTurn) -> dict[str, Any]:
    value = _times(msgspec.to_builtins(turn), "asked", "ended")
    return {**{name: held for name, held in value.items() if name != "outcome"}, **value["outcome"]}


def _times(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`value` with these times as ISO 8601, in UTC."""
    return {**value, **{name: _iso(value[name]) for name in names}}


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")


_WRITERS: Mapping[str, Callable[[KeptConversation, Path, tzinfo | None], str]] = MappingProxyType(
    {"markdown": markdown, "org": org, "json": _json}
)
