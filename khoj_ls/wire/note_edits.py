"""The requests that change notes: what is to be changed and shown. Nothing is written here: the editor makes the edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.graph.capture import capture as captured
from khoj_ls.graph.daily import day_of, journal_of, neighbour, new_daily, template_of
from khoj_ls.graph.edits import Notes, VaultEdit
from khoj_ls.graph.linking import insert_link as linked
from khoj_ls.graph.linking import related_section as related_listed
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.proposal import places_of
from khoj_ls.graph.refile import extract as extracted
from khoj_ls.graph.refile import inline as inlined
from khoj_ls.graph.refile import refile as refiled
from khoj_ls.graph.toc import table_of_contents
from khoj_ls.links.anchors import Place, find_places
from khoj_ls.links.target import Fragment
from khoj_ls.search.types import RelatedRequest
from khoj_ls.store import links as store
from khoj_ls.vault import Vault
from khoj_ls.wire import note_messages as wire
from khoj_ls.wire.messages import Position


class Desk(Protocol):
    """A vault with its notes as one session sees them."""

    vault: Vault
    notes: Notes

    def note(self, uri: str) -> OpenNote:
        """The note at a URI. Raises UsageError when there is none in the vault."""
        ...

    def offset(self, note: OpenNote, position: Position) -> int:
        """Byte offset of a position in a note."""
        ...


@dataclass(frozen=True)
class Plan:
    """What is to be changed, and what to show then."""

    edit: VaultEdit
    show: str | None = None
    """Path of a note, relative to the vault."""
    offset: int | None = None
    """Byte in it, as it is after the edit."""


@dataclass(frozen=True)
class EditOperation:
    """A request `khoj/<name>`, and a command `khoj.<name>`, that changes notes."""

    name: str
    params: type
    plan: Callable[[Desk, Any, CancelToken], Plan]
    result: type = wire.NoteEditResult
    long: bool = False

    @property
    def summary(self) -> str:
        """What it does, in one sentence."""
        return (self.plan.__doc__ or "").strip().splitlines()[0]


def insert_link(desk: Desk, params: wire.InsertLinkParams, token: CancelToken) -> Plan:
    """Write a link to another note, as the vault's tool writes links; selected words become its label."""
    note, target = desk.note(params.textDocument.uri), desk.note(params.target)
    if params.range is not None:
        start, end = desk.offset(note, params.range.start), desk.offset(note, params.range.end)
    elif params.position is not None:
        start = end = desk.offset(note, params.position)
    else:
        raise UsageError("khoj/insertLink wants a position or a range")
    place = _heading(target, params.heading) if params.heading else None
    edit = desk.vault.links(
        lambda network: linked(network, desk.notes, note, start, end, target.path, label=params.label, place=place)
    )
    return Plan(edit)


def related_section(desk: Desk, params: wire.RelatedSectionParams, token: CancelToken) -> Plan:
    """Write a section that lists related notes which are not linked yet, or bring it up to date."""
    note = desk.note(params.textDocument.uri)
    if not 1 <= params.limit <= 100:
        raise UsageError(f"limit is {params.limit}; it must be between 1 and 100")
    found = desk.vault.related(RelatedRequest(path=note.path, text=note.text, limit=3 * params.limit), token)
    paths = dict.fromkeys(hit.path for hit in found.hits if not hit.linked and hit.path != note.path)
    if not paths:
        raise UsageError("no related note was found that is not linked already")
    return Plan(desk.vault.links(lambda network: related_listed(network, desk.notes, note, list(paths)[: params.limit])))


def extract(desk: Desk, params: wire.PlaceParams, token: CancelToken) -> Plan:
    """Make a note of the section at a place and leave a link to it; links into the section follow."""
    note = desk.note(params.textDocument.uri)
    offset = desk.offset(note, params.position)
    edit, path = desk.vault.links(lambda network: extracted(network, desk.notes, note, offset, token))
    return Plan(edit, path, 0)


def inline(desk: Desk, params: wire.PlaceParams, token: CancelToken) -> Plan:
    """Put the text of the note that is linked at a place behind the link's line, and delete that note; links to it follow."""
    note = desk.note(params.textDocument.uri)
    offset = desk.offset(note, params.position)
    return Plan(desk.vault.links(lambda network: inlined(network, desk.notes, note, offset, token)))


def toc(desk: Desk, params: wire.TocParams, token: CancelToken) -> Plan:
    """Write a table of contents, or bring the one that is there up to date."""
    note = desk.note(params.textDocument.uri)
    below = next((entry.span.start for entry in note.parsed.entries if entry.level > 1), 0)
    if not below and note.parsed.type == "org":
        below = next((entry.span.start for entry in note.parsed.entries if entry.level), 0)
    offset = desk.offset(note, params.position) if params.position else below
    return Plan(desk.vault.links(lambda network: table_of_contents(network, note, offset, params.depth)))


def refile(desk: Desk, params: wire.RefileParams, token: CancelToken) -> Plan:
    """Move a section to another note, or below another heading; links in it and to it are led on."""
    note, target = desk.note(params.textDocument.uri), desk.note(params.target)
    offset = desk.offset(note, params.position)
    below = _heading(target, params.heading).span.start if params.heading else None
    edit = desk.vault.links(lambda network: refiled(network, desk.notes, note, offset, target, below, token))
    return Plan(edit, target.path)


def daily(desk: Desk, params: wire.DailyParams, token: CancelToken) -> Plan:
    """Show the note of a day, where and as the vault's tool keeps it; that of a date is made when it is not there."""
    today = datetime.now().astimezone()

    def ask(network: LinkNetwork) -> Plan:
        paths = [path for _, path in store.files(network.connection)]
        journal = journal_of(network.conventions, paths)
        if params.day in ("previous", "next"):
            start = day_of(journal, desk.note(params.textDocument.uri).path, today) if params.textDocument else None
            found = neighbour(journal, paths, start or today, 1 if params.day == "next" else -1)
            if found is None:
                raise UsageError(f"there is no {params.day} daily note")
            return Plan(VaultEdit(), found, 0)
        day = today if params.day == "today" else _date(params.day)
        path = journal.path(day)
        if desk.notes.exists(path):
            return Plan(VaultEdit(), path, 0)
        text = new_daily(journal, day, template_of(journal, desk.notes, network.connection), today)
        return Plan(VaultEdit(created=((path, text),)), path, len(text.encode()))

    return desk.vault.links(ask)


def capture(desk: Desk, params: wire.CaptureParams, token: CancelToken) -> Plan:
    """Make a note from a title and a text, or from selected words, in the folder and with the head that the tool gives it."""
    source = desk.note(params.textDocument.uri) if params.textDocument else None
    selection = None
    if params.range is not None and source is not None:
        selection = desk.offset(source, params.range.start), desk.offset(source, params.range.end)
    if not params.title.strip() and not params.text.strip() and selection is None:
        raise UsageError("khoj/capture wants a title, a text or a range")
    now = datetime.now().astimezone()
    edit, path = desk.vault.links(
        lambda network: captured(network, desk.notes, params.title, params.text, now, source, selection, token)
    )
    text = dict(edit.created)[path]
    return Plan(edit, path, len(text.encode()))


EDIT_OPERATIONS = (
    EditOperation("insertLink", wire.InsertLinkParams, insert_link),
    EditOperation("relatedSection", wire.RelatedSectionParams, related_section),
    EditOperation("extract", wire.PlaceParams, extract),
    EditOperation("inline", wire.PlaceParams, inline),
    EditOperation("daily", wire.DailyParams, daily),
    EditOperation("capture", wire.CaptureParams, capture),
    EditOperation("toc", wire.TocParams, toc),
    EditOperation("refile", wire.RefileParams, refile),
)
"""The requests that change notes, in the order of the documentation."""


def _heading(note: OpenNote, heading: str) -> Place:
    found = find_places(Fragment("heading", heading), places_of(note.parsed))
    if not found:
        raise UsageError(f"{note.path} has no heading {heading!r}")
    return found[0]


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise UsageError(f"{text!r} is no day: today, previous, next, or a date like 2024-05-01") from error
