"""textDocument/codeLens: how many links lead to a note and its headings, and the command that shows them.

Lists of places are the client's to show. One that says so in `initialize` (`experimental.commands.commands`, as for
rust-analyzer) gets its own command with the places as arguments; one that can open documents gets ours, which lets the user
choose; any other sees the count alone.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from khoj_ls.config.editor_settings import LensSettings
from khoj_ls.core.jobs import CancelToken
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.spots import NoteSpot, PlaceSpot, heading_place, title_span
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.counts import Count, counted
from khoj_ls.lsp.leading import referring
from khoj_ls.lsp.locations import Mark, locate
from khoj_ls.lsp.refreshing import refresh_on_change
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vault import Vault

CLIENT_COMMAND = "khoj-ls.showReferences"
"""What a client that shows lists of places itself registers: arguments uri, position, locations."""
COMMAND = "khoj.showReferences"
_MOST_CHOICES = 20


def register(server: KhojServer) -> None:
    """Serve code lenses, and the command behind them."""
    refresh_on_change(
        server,
        lambda vault: _wanted(server, vault) is not None,
        lambda: _refreshes(server),
        lambda: server.workspace_code_lens_refresh_async(None),
    )

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        if others := [lens for lenses in server.code_lenses for lens in lenses(params.text_document.uri)]:
            return others
        about = asked(server, params.text_document.uri)
        wanted = _wanted(server, about.vault) if about else None
        if about is None or wanted is None:
            return None
        lists, opens = _lists_places(server), _opens_documents(server)
        return await server.answer(lambda job: _lenses(about, wanted, job.token, lists, opens))

    @server.command(COMMAND)
    async def show_references(*arguments: Any) -> None:
        uri, position = _place(arguments)
        about = asked(server, uri) if uri else None
        if about is not None:
            choices = await server.answer(lambda job: about.vault.links(lambda network: _choices(about, network, position)))
            await _show(server, choices)


def _lenses(about: Asked, wanted: LensSettings, token: CancelToken, lists: bool, opens: bool) -> list[types.CodeLens]:
    found = counted(about, note=wanted.note, headings=wanted.headings, related=wanted.related, token=token)
    return [_lens(about, each, lists, opens) for each in found]


def _lens(about: Asked, count: Count, lists: bool, opens: bool) -> types.CodeLens:
    place = about.positions.range(count.start, count.end)
    if not count.links or not (lists or opens):
        return types.CodeLens(range=place, command=types.Command(title=count.text, command=""))
    arguments: list[Any] = [about.uri, {"line": place.start.line, "character": place.start.character}]
    if lists:
        choices = about.vault.links(lambda network: _choices(about, network, place.start))
        arguments.append([location for _, location in choices])
    command = types.Command(title=count.text, command=CLIENT_COMMAND if lists else COMMAND, arguments=arguments)
    return types.CodeLens(range=place, command=command)


def _choices(about: Asked, network: LinkNetwork, position: types.Position) -> list[tuple[str, types.Location]]:
    """The links to the note or the heading on a line: what to call each, and where it is."""
    start = about.offset(types.Position(line=position.line, character=0))
    spot: NoteSpot | PlaceSpot = NoteSpot(start, start)
    found = about.note.entry_at(start)
    if start != title_span(about.note.parsed)[0] and found is not None and found[1].span.start == start:
        place = heading_place(found[1], found[0])
        spot = PlaceSpot(start, start, place) if place else spot
    marks: list[Mark] = referring(about, network, spot)
    shown = zip(marks, locate(about, network, marks), strict=True)
    return [(f"{mark.path}:{each.range.start.line + 1}", each.location) for mark, each in shown if each is not None]


async def _show(server: KhojServer, choices: list[tuple[str, types.Location]]) -> None:
    """Open the only place, or the one that the user chooses."""
    if not choices or not _opens_documents(server):
        return
    places = dict(choices[:_MOST_CHOICES])
    chosen = next(iter(places))
    if len(places) > 1:
        more = f" (the first {len(places)})" if len(choices) > len(places) else ""
        answer = await server.window_show_message_request_async(
            types.ShowMessageRequestParams(
                type=types.MessageType.Info,
                message=f"khoj-ls: {len(choices)} links lead here{more}",
                actions=[types.MessageActionItem(title=title) for title in places],
            )
        )
        if answer is None or answer.title not in places:
            return
        chosen = answer.title
    where = places[chosen]
    await server.window_show_document_async(
        types.ShowDocumentParams(uri=where.uri, take_focus=True, selection=where.range, external=False)
    )


def _place(arguments: tuple[Any, ...]) -> tuple[str, types.Position]:
    """URI and position, however the client unpacks the arguments."""
    given = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], list) else arguments
    uri = given[0] if given and isinstance(given[0], str) else ""
    place = given[1] if len(given) > 1 else None
    line = place.get("line", 0) if isinstance(place, dict) else getattr(place, "line", 0)
    return uri, types.Position(line=line if isinstance(line, int) and line >= 0 else 0, character=0)


def _wanted(server: KhojServer, vault: Vault) -> LensSettings | None:
    """What is to be shown in notes of a vault; None where that is nothing."""
    wanted = server.session.settings_of(vault).lens
    return wanted if wanted.note or wanted.headings else None


def _refreshes(server: KhojServer) -> bool:
    workspace = server.client_capabilities.workspace
    return bool(workspace and workspace.code_lens and workspace.code_lens.refresh_support)


def _lists_places(server: KhojServer) -> bool:
    experimental = server.client_capabilities.experimental
    commands = experimental.get("commands") if isinstance(experimental, dict) else getattr(experimental, "commands", None)
    names = commands.get("commands") if isinstance(commands, dict) else getattr(commands, "commands", None)
    return isinstance(names, list | tuple) and CLIENT_COMMAND in names


def _opens_documents(server: KhojServer) -> bool:
    window = server.client_capabilities.window
    return bool(window and window.show_document and window.show_document.support)
