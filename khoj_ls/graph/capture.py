"""A new note from a title and a text, or from words selected in another note, as the vault's tool begins its notes."""

from __future__ import annotations

import posixpath
import re
import uuid
from datetime import datetime

from khoj_ls.core.jobs import CancelToken
from khoj_ls.graph.edits import Notes, VaultEdit
from khoj_ls.graph.linking import written_link
from khoj_ls.graph.mend import Change, Relocation, mend
from khoj_ls.graph.naming import new_note_path
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.rewrite import Edit
from khoj_ls.links.text import split_suffix

_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`](?:(?!: | #|[\[\]{}]).)*")
_MARKED = re.compile(r"[\[\]*`\n]")
_LONGEST_TITLE = 80


def capture(
    network: LinkNetwork,
    notes: Notes,
    title: str,
    text: str,
    now: datetime,
    source: OpenNote | None = None,
    selection: tuple[int, int] | None = None,
    token: CancelToken | None = None,
) -> tuple[VaultEdit, str]:
    """A new note called `title` that says `text`; the edit, and its path.

    With a `selection` of the note `source` those bytes move there, a link is left, and links in them go on leading where they
    led. An empty title is made of the first words. Raises UsageError where no name can be made of it.
    """
    if source and selection:
        text = source.source[selection[0] : selection[1]].decode(errors="replace")
    title = " ".join(title.split()) or title_from(text)
    path = new_note_path(title, source, network.conventions, notes)
    head = note_head(path, title, network.conventions, now)
    if not (source and selection):
        body = text if not text or text.endswith("\n") else text + "\n"
        created = frozenset({path})
        return mend(network, notes, Change(edits={path: [Edit(0, 0, head + body)]}, created=created), token), path
    words = "" if _MARKED.search(text.strip()) else text.strip()
    left = written_link(network, source, notes.parse(path, head), label=words)
    end = "\n" if text.endswith("\n") else ""
    moved = Relocation(source.path, *selection, path, 0, before=head, after="" if end else "\n", left=left + end)
    return mend(network, notes, Change(relocations=(moved,), created=frozenset({path})), token), path


def title_from(text: str) -> str:
    """The first line of a text, without marks, at most some words of it."""
    line = next((line.strip() for line in text.splitlines() if line.strip(" \t#*-+>")), "")
    line = re.sub(r"\[\[(?:[^\]|]*\|)?([^\]]*)\]\]|\[([^\]]*)\]\([^)]*\)", lambda found: found[1] or found[2] or "", line)
    line = line.lstrip("#*-+> \t")
    if len(line) <= _LONGEST_TITLE:
        return line.rstrip(".:;, ")
    return line[:_LONGEST_TITLE].rpartition(" ")[0] or line[:_LONGEST_TITLE]


def note_head(path: str, title: str, conventions: Conventions, now: datetime) -> str:
    """What a new note says about itself: Org properties, or the front matter of the tool."""
    stem, suffix = split_suffix(posixpath.basename(path))
    if conventions.tool == "logseq":
        return ""
    if suffix == ".org":
        stamp = now.strftime("[%Y-%m-%d ") + ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[now.weekday()]
        stamp += now.strftime(" %H:%M]")
        return f":PROPERTIES:\n:ID:       {uuid.uuid4()}\n:CREATED:  {stamp}\n:END:\n#+title: {title}\n\n"
    shown = title if _PLAIN.fullmatch(title) and not title.endswith(":") else '"' + re.sub(r'(["\\])', r"\\\1", title) + '"'
    if conventions.tool == "dendron":
        milliseconds = int(now.timestamp() * 1000)
        return (
            f"---\nid: {uuid.uuid4().hex[:23]}\ntitle: {shown}\ndesc: ''\n"
            f"updated: {milliseconds}\ncreated: {milliseconds}\n---\n\n"
        )
    named = "" if stem == title else f"title: {shown}\n"
    return f"---\n{named}created: {now.strftime('%Y-%m-%dT%H:%M')}\n---\n\n"
