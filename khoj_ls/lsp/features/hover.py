"""textDocument/hover: of a link its target, of a heading or title what leads there and what belongs to it by meaning.

Never longer than 30 lines; everything that is shown of notes is escaped. On plain text nothing is shown unless `hover.prose`
is set: a mouse that rests anywhere would open it.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from khoj_ls.core.places import spoken
from khoj_ls.graph.incoming import incoming, leading_to, links_to
from khoj_ls.graph.neighbours import neighbours
from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.graph.preview import display_titles, preview_of
from khoj_ls.graph.spots import LinkSpot, NoteSpot, PlaceSpot, Spot, TagSpot, TextSpot, heading_place, spot_at
from khoj_ls.links.resolve import Destination, Resolution
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.leading import meant, referring
from khoj_ls.lsp.markup import Writer, hover_writer
from khoj_ls.lsp.server import KhojServer
from khoj_ls.search.context import SearchContext
from khoj_ls.store.fts import display_title

_PREVIEW_LINES = 14
_BACKLINKS = 10
_COUNTED = 200
"""Links to a target are counted so far: of more nobody wants the number while the hover waits."""
_RELATED = 5
_TARGETS = 8
_LONGEST = 120


def register(server: KhojServer) -> None:
    """Serve hovers."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        writer, prose = hover_writer(server), server.session.settings_of(about.vault).hover.prose
        return await server.answer(lambda job: hover_at(about, about.offset(params.position), writer, prose))


def hover_at(about: Asked, offset: int, writer: Writer, prose: bool) -> types.Hover | None:
    """What is shown at a byte offset; None for nothing."""
    spot = spot_at(about.note, offset)
    if spot is None or (isinstance(spot, TextSpot) and not prose):
        return None
    if isinstance(spot, LinkSpot | TagSpot):
        parts = about.vault.links(lambda network: _of_link(about, network, spot, writer))
    else:
        context = about.vault.search_context()
        parts = about.vault.links(
            lambda network: [
                *_backlinks(about, network, spot, writer),
                *_related(about, network, context, spot, writer),
            ]
        )
    if not parts:
        return None
    return types.Hover(contents=writer.hover(parts), range=about.positions.range(spot.start, spot.end))


def _of_link(about: Asked, network: LinkNetwork, spot: LinkSpot | TagSpot, writer: Writer) -> list[str]:
    resolution = meant(about, network, spot)
    if isinstance(spot, TagSpot) and not resolution.targets:
        return _tag(about, network, spot, writer)
    if resolution.state == "external":
        return []
    if resolution.state in ("broken", "unwritten"):
        what = "Nothing is there yet" if resolution.state == "unwritten" else "Broken link"
        return [f"{writer.strong(what)}{': ' + writer.text(resolution.why) if resolution.why else ''}"]
    if len(resolution.targets) > 1:
        return _choices(about, resolution, writer)
    parts = [f"{writer.strong('Broken link')}: {writer.text(resolution.why)}", ""] if resolution.state != "resolved" else []
    return parts + _target(about, network, resolution.targets[0], writer)


def _choices(about: Asked, resolution: Resolution, writer: Writer) -> list[str]:
    what = "Ambiguous link" if resolution.state == "ambiguous" else f"{len(resolution.targets)} notes"
    shown = [
        writer.item(writer.link(target.path, about.uri_of(target.path), target.place.span.line if target.place else 1))
        for target in resolution.targets[:_TARGETS]
    ]
    rest = len(resolution.targets) - len(shown)
    return [writer.strong(what), "", *shown, *([writer.item(f"{rest} more")] if rest > 0 else [])]


def _target(about: Asked, network: LinkNetwork, target: Destination, writer: Writer) -> list[str]:
    uri = about.uri_of(target.path)
    shown = preview_of(network, target, about.opened_note, _PREVIEW_LINES)
    if shown is None:
        return [writer.link(target.path, uri), *writer.image(target.path, uri)]
    head = writer.link(shown.title, uri, shown.line)
    head = " › ".join([head, *(writer.text(heading) for heading in shown.outline if heading != shown.title)])
    tags = _short(" ".join("#" + tag for tag in shown.tags))
    parts = [f"{head} · {writer.text(tags)}" if tags else head]
    if shown.lines:
        parts += [writer.rule(), writer.lines((*shown.lines, "…") if shown.more else shown.lines)]
    links = links_to(network, target, about.opened_note, _COUNTED)
    others = {(link.path, link.link.span.start) for link in links if link.path != about.path}
    if others:
        parts += [writer.rule(), f"{_at_least(len(others), len(links))} to it from other notes"]
    return parts


def _at_least(number: int, looked_at: int) -> str:
    return f"{_count(number, 'link')} and more" if looked_at >= _COUNTED else _count(number, "link")


def _tag(about: Asked, network: LinkNetwork, spot: TagSpot, writer: Writer) -> list[str]:
    marks = {(mark.path, mark.place[0]): mark for mark in referring(about, network, spot)}
    paths = dict.fromkeys(path for path, _ in marks)
    shown = [writer.item(writer.link(path, about.uri_of(path))) for path in list(paths)[:_BACKLINKS]]
    rest = len(paths) - len(shown)
    head = f"{writer.strong('#' + spot.tag.name)}: {_count(len(marks), 'place')} in {_count(len(paths), 'note')}"
    return [head, "", *shown, *([writer.item(f"{rest} more")] if rest > 0 else [])]


def _backlinks(about: Asked, network: LinkNetwork, spot: Spot, writer: Writer) -> list[str]:
    """The links to a place, or to the section or note that a text stands in, with the lines that link."""
    found = incoming(network, about.note, _COUNTED)
    place = spot.place if isinstance(spot, PlaceSpot) else None
    if isinstance(spot, TextSpot):
        place = heading_place(about.note.parsed.entries[spot.entry], spot.entry)
    links = leading_to(found, place)
    if not links:
        return []
    head = f"{_at_least(len(links), len(found))} here"
    rest = len(links) - _BACKLINKS
    more = [writer.item(f"{rest} more")] if rest > 0 else []
    return [writer.strong(head), "", *_with_lines(about, network, links[:_BACKLINKS], writer), *more]


def _with_lines(about: Asked, network: LinkNetwork, links: Sequence[ResolvedLink], writer: Writer) -> list[str]:
    names = display_titles(network, (link.file_id for link in links if link.file_id is not None))
    shown = []
    for back in network.with_lines(links):
        link = back.link
        name = names.get(link.file_id or 0) or display_title(link.path, None)
        head = writer.link(name, about.uri_of(link.path), link.link.span.line)
        shown.append(writer.item(f"{head}: {writer.text(_short(back.readable))}" if back.readable else head))
    return shown


def _related(about: Asked, network: LinkNetwork, context: SearchContext, spot: Spot, writer: Writer) -> list[str]:
    """Notes near in meaning, by the vectors that are stored; nothing while there are none."""
    line = None if isinstance(spot, NoteSpot) else about.positions.position(spot.start).line + 1
    found = neighbours(network.connection, context, about.path, line, _RELATED)
    shown = [
        writer.item(
            writer.link(each.title, about.uri_of(each.path), each.line, each.place)
            + (f" › {writer.text(each.heading)}" if each.heading and each.heading != each.title else "")
            + (f", {writer.text(spoken(each.place))}" if each.place else "")
            + f" ({each.score:.2f}{', linked' if each.linked else ''})"
        )
        for each in found
    ]
    return ["", writer.strong("Related"), "", *shown] if shown else []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + "…"
