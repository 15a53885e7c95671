"""Which lines of a found entry to show: the tightest passage that holds what matched."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from khoj_ls.core.types import Span
from khoj_ls.search.blocks import Block, Reading
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.snippet import excerpt
from khoj_ls.search.words import is_unspaced, words

_MOST_LINES = 12
"""A passage found by words has no more lines than this, unless one sentence has."""
_BLOCKS_READ = 8
"""How many blocks of an entry are looked at word by word: those that seem to hold most."""
_NEAR_BONUS = 0.5
"""What a block gains, as a share of all words, that lies in the chunk nearest by meaning."""
_STEM = 4

Ranges = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Passage:
    """A passage, ready to be shown."""

    span: Span
    snippet: str
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Found:
    """An entry that was found, and what is known about where in it."""

    readings: tuple[Reading, ...]
    """The entry; with the entries after it, when a chunk that covers them all was found by meaning alone."""
    by_words: bool
    near: Span | None = None
    """The chunk nearest by meaning."""
    sentence: tuple[re.Pattern[str], ...] = ()
    """The query as patterns, the strictest first, when the entry is said to hold it word for word."""


@dataclass(frozen=True)
class Wanted:
    """What to find and mark."""

    expression: str
    """For the word index."""
    weights: Mapping[str, float]
    """What each word is worth, by its first letters."""
    finder: WordFinder
    """What finds it."""


def wanted_words(expression: str, weights: Mapping[str, float], finder: WordFinder) -> Wanted:
    """What to find, given an expression for the word index, what its terms are worth, and a finder."""
    return Wanted(expression, {key: weight for term, weight in weights.items() for key in _keys(term)}, finder)


def passages(found: Sequence[Found], wanted: Wanted) -> list[Passage]:
    """The passage to show of each entry."""
    read = [_likely(item, wanted) for item in found]
    matches = iter(wanted.finder.find([block.text for blocks in read for block in blocks], wanted.expression))
    matched = [[(block, next(matches)) for block in blocks] for blocks in read]
    _look_into_markup(found, matched, wanted)
    return [_passage(item, blocks, wanted) for item, blocks in zip(found, matched, strict=True)]


def _likely(item: Found, wanted: Wanted) -> list[Block]:
    """The blocks worth reading, in order."""
    blocks = [block for reading in item.readings for block in reading.blocks]
    if len(blocks) <= _BLOCKS_READ:
        return blocks
    lines = _known_lines(item)
    if lines:
        return [block for block in blocks if block.first <= lines[1] and block.last >= lines[0]]

    def promise(index: int) -> float:
        text = blocks[index].raw.lower()
        held = sum(weight for key, weight in wanted.weights.items() if key[: _STEM - 1] in text)
        return held + _near(item, blocks[index], wanted)

    best = sorted(range(len(blocks)), key=lambda index: -promise(index))[:_BLOCKS_READ]
    return [blocks[index] for index in sorted({0, 1, *best})]


def _known_lines(item: Found) -> tuple[int, int] | None:
    """Lines of the file that are known to be the passage: those of the sentence, or of what was found by meaning alone."""
    for sentence in item.sentence:
        if lines := _lines_of(item.readings[0], sentence):
            return lines
    return None if item.by_words else _near_lines(item)


def _near_lines(item: Found) -> tuple[int, int] | None:
    """Lines of the chunk nearest by meaning, as far as they are lines of what is shown."""
    first, last = item.readings[0].first, item.readings[-1].last
    if item.near is None or item.near.line > last or item.near.end_line < first:
        return None
    return max(first, item.near.line), min(last, item.near.end_line)


def _lines_of(reading: Reading, sentence: re.Pattern[str]) -> tuple[int, int] | None:
    """Lines of the first place where the sentence stands, in the source or in its readable form, the heading's included."""
    below = _lines_below_heading(reading, sentence)
    if not reading.row.level or not (sentence.search(reading.said_lines[0]) or sentence.search(reading.row.heading)):
        return below
    blocks = reading.blocks
    # A heading alone says little: what follows it is shown with it.
    last = below[1] if below else blocks[1].last if len(blocks) > 1 else reading.first
    return reading.first, last if last - reading.first < _MOST_LINES else reading.first


def _lines_below_heading(reading: Reading, sentence: re.Pattern[str]) -> tuple[int, int] | None:
    skipped = int(reading.row.level > 0)
    for lines in (reading.said_lines[skipped:], reading.text_lines[skipped:]):
        if match := sentence.search("".join(lines)):
            ends = list(accumulate(len(line) for line in lines))
            first = next(number for number, end in enumerate(ends, skipped) if end > match.start())
            last = next(number for number, end in enumerate(ends, skipped) if end >= match.end())
            return reading.first + first, reading.first + max(first, last)
    return None


def _look_into_markup(found: Sequence[Found], matched: list[list[tuple[Block, list[tuple[int, int]]]]], wanted: Wanted) -> None:
    """Where an entry found by words shows none of them in readable form, read it in its source form."""
    unseen = [
        index
        for index, (item, blocks) in enumerate(zip(found, matched, strict=True))
        if item.by_words and not any(ranges for _, ranges in blocks)
    ]
    sources = {index: [block.in_source() for block, _ in matched[index]] for index in unseen}
    # Most have no markup there: what says the same holds none of them either.
    other = {
        index: blocks
        for index, blocks in sources.items()
        if any(block.text != readable.text for block, (readable, _) in zip(blocks, matched[index], strict=True))
    }
    matches = iter(wanted.finder.find([block.text for blocks in other.values() for block in blocks], wanted.expression))
    for index, blocks in other.items():
        in_source = [(block, next(matches)) for block in blocks]
        if any(ranges for _, ranges in in_source):
            matched[index] = in_source


def _passage(item: Found, matched: Sequence[tuple[Block, Ranges]], wanted: Wanted) -> Passage:
    first, last = _lines(item, matched, wanted)
    if not item.by_words:
        # What was found by its meaning is shown without what the model never read; a note that is nothing else stays as it is.
        matched = [(block, found) for block, found in matched if not block.is_silent] or matched
    text = ""
    ranges: list[tuple[int, int]] = []
    joint = ""
    for block, found in matched:
        if block.last < first or block.first > last:
            continue
        start, end = block.offset_of(first), block.offset_of(last + 1)
        if shown := block.text[start:end].rstrip():
            text += joint
            shift = len(text) - start
            ranges += [(low + shift, high + shift) for low, high in found if start <= low and high <= start + len(shown)]
            text += shown
            joint = ": " if block.is_heading and shown[-1].isalnum() else " "
    return Passage(_span(item.readings, first, last), *excerpt(text, ranges))


def _lines(item: Found, matched: Sequence[tuple[Block, Ranges]], wanted: Wanted) -> tuple[int, int]:
    """First and last line of the passage."""
    lines = _known_lines(item)
    if lines and not item.by_words:
        return lines
    if lines:
        around = [block for block, _ in matched if block.first <= lines[1] and block.last >= lines[0]]
        wide = min([lines[0], *(block.first for block in around)]), max([lines[1], *(block.last for block in around)])
        return wide if wide[1] - wide[0] < _MOST_LINES else lines
    held = [_keys_of({block.text[start:end].lower() for start, end in ranges}) for block, ranges in matched]
    if not any(held):
        if near := _near_lines(item):
            return near
        body = next((block for block, _ in matched if not block.is_heading), None) or (matched[0][0] if matched else None)
        return (body.first, min(body.last, body.first + _MOST_LINES - 1)) if body else (item.readings[0].first,) * 2
    return _around_best(item, matched, held, wanted)


def _around_best(
    item: Found, matched: Sequence[tuple[Block, Ranges]], held: Sequence[set[str]], wanted: Wanted
) -> tuple[int, int]:
    """The block worth most, and its neighbours as long as they hold words that are still missing."""

    def worth(keys: Iterable[str]) -> float:
        return sum(wanted.weights.get(key, 1.0) for key in keys)

    best = max(range(len(held)), key=lambda index: (worth(held[index]) + _near(item, matched[index][0], wanted), -index))
    block, ranges = matched[best]
    if block.last - block.first >= _MOST_LINES:
        return _window(block, ranges, item.near)
    first = last = best
    seen = set(held[best])
    # A heading alone says little: what follows it is shown with it.
    if block.is_heading and best + 1 < len(matched):
        last += 1
    for step in (-1, 1):
        while 0 <= (index := (first if step < 0 else last) + step) < len(matched):
            low, high = matched[min(first, index)][0].first, matched[max(last, index)][0].last
            if held[index] <= seen or high - low >= _MOST_LINES:
                break
            seen |= held[index]
            first, last = min(first, index), max(last, index)
    low, high = matched[first][0].first, matched[last][0].last
    return low, min(high, low + _MOST_LINES - 1) if block.is_heading else high


def _window(block: Block, ranges: Ranges, near: Span | None) -> tuple[int, int]:
    """The lines of a long block that hold the most matches; without any, where it is nearest by meaning."""
    lines = [block.line_at(start) for start, _ in ranges] or [max(block.first, near.line if near else block.first)]
    # Where each window from a match on ends: a list of a thousand errors has a thousand matches.
    ends = [bisect_left(lines, line + _MOST_LINES) for line in lines]
    at = max(range(len(lines)), key=lambda at: (ends[at] - bisect_left(lines, lines[at]), -lines[at]))
    return lines[at], lines[ends[at] - 1]


def _near(item: Found, block: Block, wanted: Wanted) -> float:
    if item.near and block.first <= item.near.end_line and block.last >= item.near.line:
        return _NEAR_BONUS * sum(wanted.weights.values()) / max(1, len(wanted.weights))
    return 0.0


def _span(readings: Sequence[Reading], first: int, last: int) -> Span:
    start = next(reading for reading in readings if reading.last >= first)
    end = next(reading for reading in reversed(readings) if reading.first <= last)
    return Span(start.byte_at(first), end.byte_at(last + 1), first, last)


def _keys_of(texts: Iterable[str]) -> set[str]:
    return {key for text in texts for key in _keys(text)}


def _keys(text: str) -> list[str]:
    """What tells one matched text (lower case) from another: its first letters, or its pairs of unspaced characters."""
    if text.isascii() and text.isalnum():
        return [text[:_STEM]]
    keys = []
    for word in words(text):
        if is_unspaced(word):
            keys += [word[index : index + 2] for index in range(max(1, len(word) - 1))]
        else:
            keys.append(word[:_STEM])
    return keys
