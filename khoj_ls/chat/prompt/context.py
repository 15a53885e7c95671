"""From what was found and chosen to the passages that a model is given: whole sections, each once, within a budget."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import takewhile, zip_longest

from khoj_ls.chat.desk import Notes, Section
from khoj_ls.chat.prompt.cutting import Count, cut, sought_in
from khoj_ls.chat.prompt.metadata import without_metadata
from khoj_ls.chat.types import ContextItem, Source
from khoj_ls.core.places import spanning
from khoj_ls.search.types import SearchHit
from khoj_ls.search.words import query_terms

LEAST_TOKENS = 60
"""Less of a passage says too little to be worth its place."""
FRAME_TOKENS = 40
"""What the lines around a passage in the prompt cost, beside its path and headings; rather too much."""
_CHOSEN_WEIGHT = 4.0
_MOST_SECTIONS_OF_HIT = 4
MOST_CHOSEN = 60
"""Of what the user chose, so many passages are given at most."""
_THIN_CHARS = 120
"""A section with less text than this is little more than a heading or a title: what stands below is given with it."""


@dataclass(frozen=True)
class Passage:
    """A section that may be given."""

    section: Section
    focus: tuple[int, int] | None = None
    """First and last line of what was found in it."""
    score: float | None = None
    """Of the search; None for what the user chose."""
    weight: float = 1.0
    """Its share beside the others where not all have room."""
    bare: Section | None = None
    """The section that was found, where `section` is that together with what stands below it."""

    @property
    def chosen(self) -> bool:
        """Whether the user chose it; else it was found."""
        return self.score is None

    @property
    def place(self) -> tuple[str, int, int]:
        """What tells it from others."""
        return self.section.path, self.section.line, self.section.column


def found_passages(notes: Notes, hits: Iterable[SearchHit], *, whole_notes: bool = False) -> list[Passage]:
    """The sections that hits lie in, best first, each once; with `whole_notes` all sections of their notes."""
    passages: dict[tuple[str, int, int], Passage] = {}
    seen: set[str] = set()
    for hit in hits:
        if whole_notes:
            if hit.path in seen:
                continue
            seen.add(hit.path)
            sections: Iterable[tuple[Section, Section | None]] = ((each, None) for each in _joined(notes.sections(hit.path)))
        else:
            sections = _sections_of(notes, hit)
        for section, bare in sections:
            focus = (max(hit.span.line, section.line), min(hit.span.end_line, section.end_line))
            passage = Passage(section, focus if focus[0] <= focus[1] else None, hit.score, bare=bare)
            passages.setdefault(passage.place, passage)
    return list(passages.values())


def _sections_of(notes: Notes, hit: SearchHit) -> Iterator[tuple[Section, Section | None]]:
    """The section of a hit, and those after it that the hit reaches into.

    One with hardly any text is given with what is below it, and by itself as well.
    """
    line = hit.span.line
    begins, ends = (column.utf32 for column in hit.place.columns) if hit.place and hit.place.columns else (0, 0)
    for _ in range(_MOST_SECTIONS_OF_HIT):
        section = notes.section(hit.path, line, begins + 1)
        if section is None or not section.text.strip():
            return
        wide = _with_subsections(notes, section)
        yield wide, None if wide is section else section
        if section.place and section.place.columns:
            begins = section.place.columns[1].utf32
            if begins >= ends:
                return
        else:
            line = section.end_line + 1
            if line > hit.span.end_line:
                return


def _with_subsections(notes: Notes, section: Section) -> Section:
    if len(without_metadata(section.text, section.line)) >= _THIN_CHARS:
        return section
    below = []
    for each in notes.sections(section.path):
        if (each.line, each.column) > (section.line, section.column):
            if each.outline[: len(section.outline)] != section.outline or len(each.outline) <= len(section.outline):
                break
            below.append(each)
    return _joined([section, *below])[0] if below else section


def _joined(sections: Sequence[Section]) -> list[Section]:
    """Sections that follow each other in one note as one, as long as all or none of them are private."""
    runs: list[list[Section]] = []
    for section in sections:
        last = runs[-1][-1] if runs else None
        follows = last and (last.path, last.private) == (section.path, section.private)
        if last and follows and section.line == last.end_line + (0 if last.column and section.column else 1):
            runs[-1].append(section)
        else:
            runs.append([section])
    return [run[0] if len(run) == 1 else _one_of(run) for run in runs]


def _one_of(run: Sequence[Section]) -> Section:
    *before, last = (each.text for each in run)
    text = "".join(each if each.endswith(("\n", "\r")) else f"{each}\n" for each in before) + last
    outline, place = reduce(_shared, (each.outline for each in run)), spanning([each.place for each in run])
    return replace(run[0], outline=outline, end_line=run[-1].end_line, text=text, place=place)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The headings that two outlines begin with alike."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(heading for heading, _ in pairs)


def chosen_passages(notes: Notes, items: Sequence[ContextItem], question: str, budget: int, count: Count) -> list[Passage]:
    """What the user chose, in order. Whole notes where they fit; else their sections, those first that the question is about.

    All of it, which may be more than `MOST_CHOSEN`. Raises UsageError where something is not there.
    """
    sections = list(dict.fromkeys(section for item in items for section in notes.chosen(item) if section.text.strip()))
    whole = _joined(sections)
    # Counting may ask the model's service: what is private is estimated.
    size = sum(len(each.text) // 3 if each.private else count(each.text) for each in whole[:MOST_CHOSEN])
    if len(whole) > MOST_CHOSEN or (len(sections) > 1 and size > budget):
        asked = set(query_terms(question))
        held = {id(each): len(asked & set(query_terms(each.text))) for each in sections}
        whole = sorted(sections, key=lambda each: -held[id(each)])
    selected = {item.name: (item.line, item.end_line or item.line) for item in items if item.line is not None}
    return [Passage(each, _selection(each, selected), None, _CHOSEN_WEIGHT) for each in whole]


def _selection(section: Section, selected: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    lines = selected.get(section.path)
    return lines if lines and lines[0] <= section.end_line and lines[1] >= section.line else None


def in_turns(*lists: Sequence[Passage]) -> list[Passage]:
    """Passages of several searches, the best of each first, each place once."""
    mixed: dict[tuple[str, int, int], Passage] = {}
    for row in zip_longest(*lists):
        for passage in row:
            if passage is not None:
                mixed.setdefault(passage.place, passage)
    return list(mixed.values())


def apart(passages: Iterable[Passage]) -> list[Passage]:
    """Passages (what was chosen first) without those that repeat others.

    What was found within a chosen passage says where to cut that. A section that comes with what is below it comes without
    that where some of it was found by itself.
    """
    listed = list(passages)
    kept: list[Passage] = []
    for each in listed:
        passage = _alone(each, listed)
        if passage is None:
            continue
        around = [at for at, other in enumerate(kept) if lies_in(passage.section, other.section)]
        chosen = next((at for at in around if kept[at].chosen), None)
        if passage.chosen:
            if all(kept[at].place != passage.place for at in around):
                kept.append(passage)
        elif chosen is not None:
            kept[chosen] = replace(kept[chosen], focus=kept[chosen].focus or passage.focus)
        elif not around:
            kept.append(passage)
    return kept


def _alone(passage: Passage, others: Iterable[Passage]) -> Passage | None:
    """The passage, without what is below it where that was found by itself; None where it says nothing then."""
    bare = passage.bare
    if bare is None or not any(
        lies_in(other.section, passage.section) and other.place != passage.place for other in others if not other.chosen
    ):
        return passage
    return replace(passage, section=bare, bare=None) if without_metadata(bare.text, bare.line).strip() else None


def not_given(passages: Iterable[Passage], sources: Sequence[Source]) -> list[Passage]:
    """The passages that no source is a part of."""
    return [each for each in passages if not any(lies_in(source, each.section) for source in sources)]


def share_given(passages: Sequence[Passage], sources: Sequence[Source]) -> float:
    """How much of the passages' text, 0 to 1, the sources that are parts of them hold."""
    whole = sum(len(each.section.text) for each in passages)
    given = sum(len(source.text) for source in sources if any(lies_in(source, each.section) for each in passages))
    return min(1.0, given / whole) if whole else 1.0


def fitted(
    passages: Sequence[Passage], budget: int, count: Count, question: str, *, first: int = 1, taken: Collection[Source] = ()
) -> tuple[Source, ...]:
    """Sources numbered from `first`, of at most `budget` tokens together: short sections whole, long ones around what was hit.

    What no longer has room for `LEAST_TOKENS` is left out, last ones first; so is what lies within sources already `taken`.
    """
    sought = sought_in(question)
    kept = [each for each in passages if not any(lies_in(each.section, source) for source in taken)]
    # Counting costs; what lies this far beyond the budget has no place.
    kept = kept[: max(1, budget // LEAST_TOKENS)] if budget >= 0 else []
    sizes = [(count(each.section.text), frame_tokens(each.section.path, each.section.outline, count)) for each in kept]
    rooms = _rooms(sizes, [each.weight for each in kept], budget)
    sources: list[Source] = []
    for passage, given in zip(kept, rooms, strict=False):
        section = passage.section
        part = cut(section.text, section.line, given, count, focus=passage.focus, sought=sought)
        if part and part.text.strip():
            sources.append(
                Source(
                    first + len(sources), section.path, section.title, section.outline, part.line, part.end_line, part.text,
                    passage.score, section.private, section.place,
                )
            )  # fmt: skip
    return tuple(sources)


def lies_in(part: Section | Source, whole: Section | Source) -> bool:
    """Whether all lines of `part` are lines of `whole`."""
    return part.path == whole.path and whole.line <= part.line and part.end_line <= whole.end_line


def frame_tokens(path: str, outline: Sequence[str], count: Count) -> int:
    """What the lines around a passage cost."""
    return FRAME_TOKENS + count(f"{path} {' '.join(outline)}")


def _rooms(sizes: Sequence[tuple[int, int]], weights: Sequence[float], budget: int) -> list[int]:
    """Tokens for each of the first texts that have room, given their sizes and those of their frames, best first."""
    for many in range(len(sizes), 0, -1):
        ranked = [weight * (2.0 - at / many) for at, weight in enumerate(weights[:many])]
        texts = [size for size, _ in sizes[:many]]
        rooms = shares(texts, ranked, budget - sum(frame for _, frame in sizes[:many]))
        if all(given >= min(size, LEAST_TOKENS) for given, size in zip(rooms, texts, strict=True)):
            return rooms
    return []


def shares(sizes: Sequence[int], weights: Sequence[float], budget: int) -> list[int]:
    """What each gets of `budget`: all that it needs, or, where that is more than its share by weight, that share."""
    given = [0] * len(sizes)
    left, weight = max(0, budget), sum(weights)
    for at in sorted(range(len(sizes)), key=lambda at: sizes[at] / weights[at]):
        given[at] = min(sizes[at], int(left * weights[at] / weight))
        left -= given[at]
        weight = max(weight - weights[at], 1e-9)
    return given


def recut(sources: Sequence[Source], budget: int, count: Count, question: str) -> tuple[Source, ...]:
    """The same sources under their numbers, with less of each, last ones left out: at most `budget` tokens together."""
    sizes = [(count(source.text), frame_tokens(source.path, source.outline, count)) for source in sources]
    rooms = _rooms(sizes, [_CHOSEN_WEIGHT if source.score is None else 1.0 for source in sources], budget)
    sought = sought_in(question)
    smaller = []
    for source, room in zip(sources, rooms, strict=False):
        if part := cut(source.text, source.line, room, count, focus=None, sought=sought):
            smaller.append(replace(source, text=part.text, line=part.line, end_line=part.end_line))
    return tuple(smaller)
