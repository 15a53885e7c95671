"""`/links`: what a note is tied to, told from the index without asking a model."""

from __future__ import annotations

from khoj_ls.chat.answer.citations import MARK
from khoj_ls.core.errors import UsageError
from khoj_ls.core.slash import Asked, Neighbour, Neighbours, Plan

_MOST = 30
"""Places listed under one heading; how many more there are is said."""
_MOST_WORDS = 160


def links_answer(asked: Asked) -> Plan:
    """The links to and from the chosen notes, or the one that is named, and what is near in meaning; each place cited."""
    if asked.neighbours is None:
        raise UsageError("/links cannot be answered here: there is no index of links")
    paths = (asked.words,) if asked.words else asked.notes
    if not paths:
        raise UsageError("/links of which note? Name its path behind it, or choose a note as context")
    answer = _Answer()
    for path in paths:
        answer.tell(asked.neighbours(path))
    return Plan(
        asked.words, search=False, context=False, local_answer="\n".join(answer.lines).strip(), places=tuple(answer.places)
    )


class _Answer:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.places: list[tuple[str, int, int]] = []

    def tell(self, found: Neighbours) -> None:
        note = Neighbour(found.path, found.title, found.line, found.line)
        self.lines += ["", f"**{_one_line(found.title)}** {self._cite(note)}"]
        if not (found.incoming or found.outgoing or found.related or found.broken):
            self.lines += ["", "Nothing links to it, it links to nothing, and nothing is near to it in meaning."]
        self._list("Linked from", found.incoming, words=True)
        self._list("Links to", found.outgoing)
        self._list("Near in meaning, not linked", found.related, words=True)
        if found.broken:
            broken = ", ".join(f"`{_one_line(target)}`" for target in found.broken[:_MOST])
            self.lines += ["", f"Links that lead nowhere: {broken}{_more(len(found.broken))}"]

    def _list(self, heading: str, neighbours: tuple[Neighbour, ...], *, words: bool = False) -> None:
        if not neighbours:
            return
        self.lines += ["", f"{heading}:", ""]
        self.lines += [self._item(each, words=words) for each in neighbours[:_MOST]]
        if more := _more(len(neighbours)):
            self.lines.append(f"-{more}")

    def _item(self, neighbour: Neighbour, *, words: bool) -> str:
        said = _one_line(neighbour.words)[:_MOST_WORDS] if words else ""
        return f"- {_one_line(neighbour.title)} {self._cite(neighbour)}{f': {said}' if said else ''}"

    def _cite(self, neighbour: Neighbour) -> str:
        place = (neighbour.path, neighbour.line, neighbour.end_line)
        if place not in self.places:
            self.places.append(place)
        return f"[{self.places.index(place) + 1}]"


def _more(count: int) -> str:
    return f" and {count - _MOST} more" if count > _MOST else ""


def _one_line(text: str) -> str:
    # `[3]` in a note's own words would read as a citation.
    return MARK.sub(lambda found: f"({found[0].strip('[]【】［］')})", " ".join(text.split()))
