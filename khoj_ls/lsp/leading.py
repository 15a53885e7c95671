"""What definition, references, highlights and hierarchies have in common: what is meant at a place, and what leads there."""

from __future__ import annotations

from khoj_ls.graph.incoming import incoming, leading_to, links_alike, links_to, resolve_link
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.spots import LinkSpot, NoteSpot, PlaceSpot, Spot, TagSpot
from khoj_ls.graph.tags import is_below, tagged, tags_of
from khoj_ls.links.resolve import Resolution
from khoj_ls.lsp.asked import Asked
from khoj_ls.lsp.locations import Mark, link_mark, tag_mark, target_mark

MOST = 2000
"""More places than this are of no use to anybody, and cost the editor much."""


def meant(asked: Asked, network: LinkNetwork, spot: Spot) -> Resolution:
    """Where a link leads, or the page that a tag names; broken for everything else."""
    link = spot.link if isinstance(spot, LinkSpot) else None
    if isinstance(spot, TagSpot):
        link = next((each for each in asked.note.links if each.kind == "tag" and each.span.start == spot.start), None)
    return resolve_link(network, asked.note, link).resolution if link else Resolution("broken")


def referring(asked: Asked, network: LinkNetwork, spot: Spot) -> list[Mark]:
    """What leads to the same as what stands at `spot`: links to a place, a note or a file; places with a tag."""
    if isinstance(spot, TagSpot):
        found_tags = tagged(network.connection, spot.tag.name, MOST, network.conventions)
        return [tag_mark(each) for each in found_tags] + own_tags(asked, network, spot)
    if isinstance(spot, PlaceSpot):
        return [link_mark(each) for each in leading_to(incoming(network, asked.note), spot.place)][:MOST]
    if isinstance(spot, NoteSpot):
        found = incoming(network, asked.note)
        own = [each for each in leading_to(found, spot.place) if each.path == asked.path] if spot.place else []
        return [link_mark(each) for each in [*own, *leading_to(found, None)]][:MOST]
    if isinstance(spot, LinkSpot):
        link = resolve_link(network, asked.note, spot.link)
        if link.resolution.state == "external":
            return [Mark(asked.path, each) for each in asked.note.links if each.target == spot.link.target]
        if link.resolution.state in ("broken", "unwritten"):
            links = links_alike(network, spot.link, asked.note.parsed.type)
        else:
            links = [each for target in link.resolution.targets for each in links_to(network, target, asked.opened_note)]
        return [*(link_mark(each) for each in links[:MOST]), link_mark(link)]
    return []


def declared(asked: Asked, network: LinkNetwork, spot: Spot) -> list[Mark]:
    """What is referred to: the place, the note, or where the link leads."""
    if isinstance(spot, PlaceSpot):
        return [Mark(asked.path, spot.place)]
    if isinstance(spot, NoteSpot):
        return [Mark(asked.path)]
    if isinstance(spot, LinkSpot):
        return [target_mark(target) for target in meant(asked, network, spot).targets]
    return []


def own_tags(asked: Asked, network: LinkNetwork, spot: TagSpot) -> list[Mark]:
    """The places with a tag, or one nested in it, in the text that was asked about."""
    wanted, conventions = spot.tag.name, network.conventions
    return [Mark(asked.path, tag) for tag in tags_of(asked.note.parsed) if is_below(tag.name, wanted, conventions)]
