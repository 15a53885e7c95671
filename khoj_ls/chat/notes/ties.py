"""What a note is tied to: its links, those that lead to it, and what is near in meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from khoj_ls.core.errors import UsageError
from khoj_ls.core.slash import Neighbour, Neighbours
from khoj_ls.graph.network import Backlink, LinkNetwork, ResolvedLink
from khoj_ls.search.types import RelatedRequest, SearchResult
from khoj_ls.store import navigation
from khoj_ls.store.fts import display_title
from khoj_ls.store.links import file_at

_RELATED = 8
_MOST_LEADING = 2000
"""Links looked at of a note that everything links to."""


def linked(network: LinkNetwork, path: str) -> Neighbours:
    """The links of the note at `path` and those that lead to it. Raises UsageError where there is no such note."""
    known = file_at(network.connection, path)
    if known is None:
        raise UsageError(f"there is no note {path} in the index: name its path relative to the vault")
    file_id = known[0]
    leading = network.with_lines(network.leading(file_id, most=_MOST_LEADING))
    own = network.links_of(file_id)
    outgoing = list(_outgoing(own, file_id))
    ids = {file_id, *(each.link.file_id or 0 for each in leading), *(target for target, _ in outgoing)}
    named = {
        key: (where, display_title(where, title)) for key, (where, title) in navigation.titles(network.connection, ids).items()
    }
    broken = dict.fromkeys(each.link.target for each in own if each.resolution.state == "broken")
    return Neighbours(
        named[file_id][1],
        path,
        _line_for(network, file_id),
        incoming=tuple(_incoming(leading, named)),
        outgoing=tuple(Neighbour(*named[target], line, line) for target, line in outgoing if target in named),
        broken=tuple(broken),
    )


def _line_for(network: LinkNetwork, file_id: int) -> int:
    (line,) = network.connection.execute(
        "SELECT coalesce(min(CASE WHEN private THEN line END), min(line), 1) FROM entry WHERE file_id = ?", (file_id,)
    ).fetchone()
    return int(line)


def near(related: Callable[[RelatedRequest], SearchResult], path: str, known: Neighbours) -> Iterable[Neighbour]:
    """The passages near in meaning to the note at `path`, of notes that it has no link with."""
    tied = {each.path for each in (*known.incoming, *known.outgoing)}
    for hit in related(RelatedRequest(path, limit=_RELATED + len(tied) if len(tied) < 50 else 60)).hits:
        if hit.path not in tied and not hit.linked:
            yield Neighbour(hit.path, hit.title, hit.span.line, hit.span.end_line, hit.snippet)


def _incoming(leading: Iterable[Backlink], named: dict[int, tuple[str, str]]) -> Iterator[Neighbour]:
    seen: set[tuple[str, int]] = set()
    for each in leading:
        line = each.link.link.span.line
        if each.link.file_id in named and (each.link.path, line) not in seen:
            seen.add((each.link.path, line))
            yield Neighbour(*named[each.link.file_id], line, line, each.text)


def _outgoing(links: Iterable[ResolvedLink], file_id: int) -> Iterator[tuple[int, int]]:
    """Id of each note that is linked to, and the first line in it that is."""
    seen: set[int] = set()
    for each in links:
        for target in each.resolution.targets:
            if target.file_id is not None and target.file_id != file_id and target.file_id not in seen:
                seen.add(target.file_id)
                yield target.file_id, target.place.span.line if target.place else 1
