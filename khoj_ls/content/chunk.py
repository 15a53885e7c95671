"""From the entries of a file to the texts that get a vector each: never over the model's limit, cut where a reader would.

Sections that fit are kept whole, with all below them; a longer section is cut by itself, and then each of its children. So an
edit moves no boundary in any other section, and within a long one only those near it (see chunk_units).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from khoj_ls.content.chunk_units import BLOCK, CHARS_PER_TOKEN, LINE, Measured, Unit, cut_units, measure, units_of_line
from khoj_ls.core.protocols import Tokenizer
from khoj_ls.core.text import text_lines
from khoj_ls.core.types import Chunk, Entry, Span

CHUNKER_VERSION = 1
"""Changes whenever equal entries may give other chunks."""
TARGET_TOKENS = 220
OVERLAP_TOKENS = 40
_MAX_ANCESTORS = 12
_MAX_HEADING_CHARS = 300


def chunker_id(tokenizer: Tokenizer) -> str:
    """Names everything that decides the chunks of a file besides its entries: this code, the tokenizer and its limit."""
    return f"{CHUNKER_VERSION}-{tokenizer.id}-{tokenizer.max_tokens}"


def chunk_file(
    title: str | None,
    entries: Sequence[Entry],
    tokenizer: Tokenizer,
    *,
    target_tokens: int = TARGET_TOKENS,
    overlap_tokens: int = OVERLAP_TOKENS,
) -> list[Chunk]:
    """Chunks of a file with `title` (the one found inside it) and `entries`, in source order.

    Texts aim at `target_tokens` and never have more than the tokenizer's limit, special tokens included. Consecutive
    chunks of one entry share up to `overlap_tokens`. A file with nothing to read but a title gives one chunk of that.
    """
    if not entries:
        return []
    plan = _Plan(title, entries, tokenizer, target_tokens, overlap_tokens)
    counted = _within_limit(list(plan.drafts()), tokenizer)
    return [
        Chunk(
            entry=draft.entry,
            last_entry=draft.last_entry,
            ordinal=ordinal,
            span=plan.span(draft),
            text=draft.text,
            tokens=tokens + tokenizer.special_tokens,
            private=any(entry.private for entry in entries[draft.entry : draft.last_entry + 1]),
        )
        for ordinal, (draft, tokens) in enumerate(counted)
    ]


@dataclass(frozen=True)
class _Draft:
    """A chunk to be: a prefix that tells where we are, and the units it holds."""

    entry: int
    last_entry: int
    prefix: str
    units: Sequence[Unit]
    is_whole: bool
    """Holds all of its entries: its span is theirs."""

    @cached_property
    def text(self) -> str:
        """What is embedded."""
        lines = [self.prefix] if self.prefix else []
        place = (-1, -1)
        for unit in self.units:
            if (unit.entry, unit.line) == place:
                lines[-1] += unit.text
            else:
                lines.append(unit.text)
            place = (unit.entry, unit.line)
        return "\n".join(line.rstrip() for line in lines)


class _Plan:
    """The measured texts of one file, and how they are shared out."""

    def __init__(
        self, title: str | None, entries: Sequence[Entry], tokenizer: Tokenizer, target_tokens: int, overlap_tokens: int
    ) -> None:
        limit = max(1, tokenizer.max_tokens - tokenizer.special_tokens)
        self.entries, self.tokenizer = entries, tokenizer
        self._measured_entry, self._line_bytes = -1, [0]
        self.half = limit // 2
        """The most tokens that title and outline may take."""
        self.target = max(1, min(target_tokens, limit - limit // 16))  # counts of parts do not add up to the last token
        self.overlap = min(overlap_tokens, self.target // 4)
        self.grain = max(1, min(overlap_tokens or OVERLAP_TOKENS, limit // 8))
        lines = [[(at, line.rstrip()) for at, line in enumerate(text_lines(entry.text)) if line.strip()] for entry in entries]
        headings = [" ".join(entry.heading.split()) for entry in entries]
        measured = iter(
            measure([" ".join((title or "").split()), *headings, *(line for body in lines for _, line in body)], tokenizer)
        )
        self.title, self.title_cost = self.cut(next(measured), min(self.half, self.target) // 2, keep_end=False)
        self.headings: list[Measured] = [next(measured) for _ in entries]
        self.lines: list[list[tuple[int, Measured]]] = [[(at, next(measured)) for at, _ in body] for body in lines]

    def drafts(self) -> Iterator[_Draft]:
        """Drafts in source order: the file, a subtree, or an entry's own text, whichever is the largest that fits."""
        count = len(self.entries)
        ends = _subtree_ends(self.entries)
        self.path_costs = [0] * count
        for at, entry in enumerate(self.entries):
            if entry.parent is not None:
                self.path_costs[at] = self.path_costs[entry.parent] + self.headings[entry.parent].cost + 1
        own = [
            heading.cost + sum(line.cost for _, line in body) for heading, body in zip(self.headings, self.lines, strict=True)
        ]
        costs = [0, *accumulate(own)]
        private = [0, *accumulate(entry.private for entry in self.entries)]

        def fits(first: int, end: int, prefix_cost: int) -> bool:
            mixed = 0 < private[end] - private[first] < end - first  # keep what may leave the machine apart from what may not
            return not mixed and prefix_cost + costs[end] - costs[first] <= self.target

        if fits(0, count, self.title_cost):
            if costs[count] or self.title:
                yield _Draft(0, count - 1, self.prefix(0, count, (), 0)[0], list(self.units(0, count)), is_whole=True)
            return
        at = 0
        while at < count:
            prefix, prefix_cost = self.prefix(at, ends[at], self.entries[at].outline, self.path_costs[at])
            if fits(at, ends[at], prefix_cost):
                if costs[ends[at]] > costs[at]:
                    yield _Draft(at, ends[at] - 1, prefix, list(self.units(at, ends[at])), is_whole=True)
                at = ends[at]
            else:
                yield from self.parts(at, prefix, prefix_cost)
                at += 1

    def parts(self, at: int, prefix: str, prefix_cost: int) -> Iterator[_Draft]:
        """The own text of one entry, cut; from the second part on its heading is in the prefix."""
        units = list(self.units(at, at + 1))
        entry, heading = self.entries[at], self.headings[at]
        later, budget = prefix, self.budget(prefix_cost)
        if heading.text and sum(unit.cost for unit in units) > budget:
            path = (*entry.outline, entry.heading)
            later, later_cost = self.prefix(at, at + 1, path, self.path_costs[at] + heading.cost + 1)
            budget = min(budget, self.budget(later_cost))
        for first, end in cut_units(units, budget, self.overlap):
            yield _Draft(at, at, later if first else prefix, units[first:end], is_whole=end - first == len(units))

    def budget(self, prefix_cost: int) -> int:
        """Tokens left for the text itself: at least half of the limit."""
        return max(self.target - prefix_cost, self.half - self.half // 8, 1)

    def units(self, first: int, end: int) -> Iterator[Unit]:
        """Headings and lines of the entries [first, end)."""
        for at in range(first, end):
            if self.headings[at].text:
                yield from units_of_line(at, 0, self.headings[at], BLOCK, self.grain)
            blocks = iter(self.entries[at].blocks)
            block = next(blocks, None)
            for line, measured in self.lines[at]:
                rank = LINE
                while block is not None and block <= line:
                    rank, block = BLOCK, next(blocks, None)
                yield from units_of_line(at, line, measured, rank, self.grain)

    def prefix(self, first: int, end: int, path: tuple[str, ...], path_cost: int) -> tuple[str, int]:
        """Title and outline `path` above the entries [first, end), with their cost, at most half of the limit.

        The title is left out where the outline or the first text says the same.
        """
        headings = (self.headings[at].text for at in range(first, end) if self.headings[at].text or self.lines[at])
        outermost = path[0] if path else next(headings, "")
        title = "" if " ".join(outermost.split()) == self.title else self.title
        cost = (self.title_cost if title else 0) + path_cost
        outline = " > ".join(" ".join(heading[:_MAX_HEADING_CHARS].split()) for heading in path[-_MAX_ANCESTORS:] if heading)
        if cost > self.half:
            title_cost = self.title_cost if title else 0
            (measured,) = measure([outline], self.tokenizer)
            outline, path_cost = self.cut(measured, self.half - title_cost, keep_end=True)
            cost = title_cost + path_cost
        return "\n".join(line for line in (title, outline) if line), cost

    @staticmethod
    def cut(measured: Measured, most: int, *, keep_end: bool) -> tuple[str, int]:
        """A text of at most `most` tokens, its end or its beginning, with its cost."""
        text, starts = measured
        if measured.cost <= most:
            return text, measured.cost
        if most < 1 or not starts:
            return "", 0
        text = text[starts[-most] :] if keep_end and len(starts) >= most else text
        text = text[: starts[most]] if not keep_end and len(starts) > most else text
        text = text[-most * CHARS_PER_TOKEN :] if keep_end else text[: most * CHARS_PER_TOKEN]
        return text.strip(), most

    def span(self, draft: _Draft) -> Span:
        """Whole lines of the source that the draft covers; the first piece of an entry takes in its first lines."""
        first, last = self.entries[draft.entry], self.entries[draft.last_entry]
        if draft.is_whole:
            return Span(first.span.start, last.span.end, first.span.line, last.span.end_line)
        line, end_line = draft.units[0].line, draft.units[-1].line
        opens = not self.headings[draft.entry].text and line == self.lines[draft.entry][0][0]
        line = 0 if opens else line
        starts, ends = self.line_bytes(draft.entry), self.line_bytes(draft.last_entry)
        return Span(
            first.span.start + starts[line],
            last.span.start + ends[min(end_line + 1, len(ends) - 1)],
            first.span.line + line,
            last.span.line + end_line,
        )

    def line_bytes(self, at: int) -> list[int]:
        """Byte offsets at which the lines of an entry begin, and its end."""
        if self._measured_entry != at:
            lines = text_lines(self.entries[at].raw)
            self._measured_entry = at
            self._line_bytes = [0, *accumulate(len(line.encode()) for line in lines)]
        return self._line_bytes


def _subtree_ends(entries: Sequence[Entry]) -> list[int]:
    """For each entry the index behind its last descendant."""
    ends = list(range(1, len(entries) + 1))
    for at in range(len(entries) - 1, -1, -1):
        parent = entries[at].parent
        if parent is not None:
            ends[parent] = max(ends[parent], ends[at])
    return ends


def _within_limit(drafts: Sequence[_Draft], tokenizer: Tokenizer) -> list[tuple[_Draft, int]]:
    """The drafts with the tokens of their texts; one that turns out too long is halved until its parts are not."""
    limit = max(1, tokenizer.max_tokens - tokenizer.special_tokens)
    counted = list(zip(drafts, tokenizer.count([draft.text for draft in drafts]), strict=True))
    while any(tokens > limit for _, tokens in counted):
        parts = [_halves(draft) if tokens > limit else [] for draft, tokens in counted]
        counts = iter(tokenizer.count([draft.text for halves in parts for draft in halves]))
        counted = [
            item
            for before, halves in zip(counted, parts, strict=True)
            for item in (((draft, next(counts)) for draft in halves) if before[1] > limit else (before,))
        ]
    return counted


def _halves(draft: _Draft) -> list[_Draft]:
    """`draft` in two, as equal as its units allow; a last character goes without its prefix, then not at all."""
    units = list(draft.units)
    if len(units) == 1 and len(units[0].text) > 1:
        unit = units[0]
        middle = len(unit.text) // 2
        units = [unit._replace(text=unit.text[:middle]), unit._replace(text=unit.text[middle:])]
    if len(units) > 1:
        middle = len(units) // 2
        halves = (units[:middle], units[middle:])
        return [_Draft(half[0].entry, half[-1].entry, draft.prefix, half, is_whole=False) for half in halves]
    return [replace(draft, prefix="")] if draft.prefix and units else []
