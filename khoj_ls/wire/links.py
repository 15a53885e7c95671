"""What khoj/links answers: from the link network's values to the wire's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Span
from khoj_ls.graph.mentions import Mention, mentions_of
from khoj_ls.graph.network import Backlink, LinkNetwork
from khoj_ls.links.anchors import Place
from khoj_ls.links.resolve import Destination
from khoj_ls.store import links as store
from khoj_ls.vault import Vault
from khoj_ls.wire import link_messages as wire
from khoj_ls.wire.messages import Position, Range

_WRONG = ("broken", "broken_anchor", "ambiguous")


def note_links(vault: Vault, path: Path, line: int | None, direction: str, limit: int) -> wire.LinksResult:
    """The links of a note, or of the section at a 1-based `line`. Raises UsageError when the note is not indexed."""
    relative = vault.relative(path)
    return vault.links(lambda network: _note_links(network, vault.root, relative, line, direction, limit))


def _note_links(network: LinkNetwork, root: Path, path: str, line: int | None, direction: str, limit: int) -> wire.LinksResult:
    known = store.file_at(network.connection, path)
    if known is None:
        raise UsageError(f"{root / path} is not indexed (`khoj-ls status --why FILE` says why)")
    file_id, _ = known
    entry, place = _section(network, file_id, line) if line is not None else (None, None)
    incoming: list[wire.LinkInfo] = []
    outgoing: list[wire.LinkInfo] = []
    mentions: list[wire.LinkInfo] = []
    if direction in ("incoming", "all") and (line is None or place is not None):
        incoming = [_link(root, each) for each in network.backlinks(file_id, place)[:limit]]
    if direction in ("outgoing", "all"):
        own = [each for each in network.links_of(file_id) if entry is None or each.entry == entry]
        outgoing = [_link(root, each) for each in network.with_lines(own[:limit])]
    if direction in ("mentions", "all") and line is None:
        mentions = [_mention(root, each, path) for each in mentions_of(network, file_id, limit)]
    return wire.LinksResult(incoming, outgoing, mentions)


def _section(network: LinkNetwork, file_id: int, line: int) -> tuple[int | None, Place | None]:
    """The entry at `line`, and the heading or id by which it is linked to."""
    entry = store.entry_at(network.connection, file_id, line)
    places = [place for place in network.places(file_id).all if place.entry == entry]
    return entry, next((place for place in places if place.kind == "heading"), None)


def vault_links(vault: Vault, select: str, limit: int, token: CancelToken) -> wire.LinksResult:
    """What is wrong with the links of the whole vault, or could be linked in it. Raises Cancelled."""

    def ask(network: LinkNetwork) -> wire.LinksResult:
        if select == "orphans":
            found = network.orphans(token.raise_if_cancelled)
            return wire.LinksResult(orphans=[(vault.root / path).as_uri() for path in found[:limit]])
        if select == "mentions":
            return wire.LinksResult(mentions=_all_mentions(network, vault.root, limit, token))
        broken = []
        for link in network.all_links():
            token.raise_if_cancelled()
            if link.resolution.state in _WRONG:
                broken.append(link)
        return wire.LinksResult(outgoing=[_link(vault.root, each) for each in network.with_lines(broken[:limit])])

    return vault.links(ask)


def _all_mentions(network: LinkNetwork, root: Path, limit: int, token: CancelToken) -> list[wire.LinkInfo]:
    found: list[wire.LinkInfo] = []
    for file_id, path in store.files(network.connection):
        token.raise_if_cancelled()
        if len(found) >= limit:
            break
        found += [_mention(root, each, path) for each in mentions_of(network, file_id, limit - len(found))]
    return found


def together(answers: Iterable[wire.LinksResult], limit: int) -> wire.LinksResult:
    """One answer of several vaults'."""
    found = list(answers)
    return wire.LinksResult(
        outgoing=[link for answer in found for link in answer.outgoing][:limit],
        mentions=[link for answer in found for link in answer.mentions][:limit],
        orphans=[uri for answer in found for uri in answer.orphans][:limit],
    )


def _link(root: Path, told: Backlink) -> wire.LinkInfo:
    link = told.link.link
    return wire.LinkInfo(
        uri=(root / told.link.path).as_uri(),
        range=_lines(link.span),
        text=told.text,
        kind=link.kind,
        target=link.target,
        label=link.label,
        state=told.link.resolution.state,
        targets=_targets(root, told.link.resolution.targets),
        why=told.link.resolution.why,
        readable=told.readable,
    )


def _mention(root: Path, mention: Mention, path: str) -> wire.LinkInfo:
    return wire.LinkInfo(
        uri=(root / mention.path).as_uri(),
        range=_lines(mention.span),
        text=mention.text,
        kind="mention",
        target=mention.name,
        label=None,
        state="mention",
        targets=[wire.LinkPlace((root / path).as_uri())],
        readable=mention.readable,
    )


def _targets(root: Path, destinations: Sequence[Destination]) -> list[wire.LinkPlace]:
    return [
        wire.LinkPlace(
            (root / each.path).as_uri(),
            _lines(each.place.span) if each.place else None,
            each.place.name if each.place else None,
        )
        for each in destinations
    ]


def _lines(span: Span) -> Range:
    return Range(Position(span.line - 1), Position(span.end_line))
