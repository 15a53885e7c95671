"""textDocument/documentLink: every link of a note that leads somewhere, in the vault or out of it."""

from __future__ import annotations

import re

from lsprotocol import types

from khoj_ls.graph.network import LinkNetwork, ResolvedLink
from khoj_ls.lsp.asked import Asked, asked
from khoj_ls.lsp.server import KhojServer

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[^\s<>\"\\^`{|}]+")
_NEVER = ("tag", "footnote")


def register(server: KhojServer) -> None:
    """Serve document links."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    async def document_link(params: types.DocumentLinkParams) -> list[types.DocumentLink] | None:
        about = asked(server, params.text_document.uri)
        if about is None:
            return None
        tooltips = _knows_tooltips(server)
        return await server.answer(lambda job: about.vault.links(lambda network: _links(about, network, tooltips)))


def _links(about: Asked, network: LinkNetwork, tooltips: bool) -> list[types.DocumentLink]:
    found = []
    for link in network.links_in(about.path, about.note.parsed):
        target = _target(about, link)
        if target is not None:
            tooltip = link.resolution.targets[0].path if tooltips and link.resolution.targets else None
            place = about.positions.range(link.link.span.start, link.link.span.end)
            found.append(types.DocumentLink(range=place, target=target, tooltip=tooltip))
    return found


def _target(about: Asked, link: ResolvedLink) -> str | None:
    """URI of the one place that a link leads to; None where there is none or several."""
    if link.link.kind in _NEVER:
        return None
    if link.resolution.state == "external":
        url = link.target.note or link.link.target
        # What is no URI as it stands is left to the client's own eyes: a wrong guess would open something else.
        return url if _SCHEME.fullmatch(url) and url.isascii() else None
    target = link.resolution.target
    if target is None:
        return None
    line = target.place.span.line if target.place else 1
    return about.uri_of(target.path) + (f"#L{line}" if line > 1 else "")


def _knows_tooltips(server: KhojServer) -> bool:
    text_document = server.client_capabilities.text_document
    return bool(text_document and text_document.document_link and text_document.document_link.tooltip_support)
