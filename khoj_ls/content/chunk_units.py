"""The grains a chunk is packed from - lines, sentences, runs of tokens - and where a sequence of them is cut.

A cut is chosen by the text around it, not by counting from the top: of the places that would do, the one whose following
text has the smallest checksum. After an edit the cuts therefore fall back into step within a chunk or two, and the rest of a
long note keeps its chunks and their vectors (content-defined chunking, as in Muthitacharoen et al., "A Low-bandwidth
Network File System", SOSP 2001).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple
from zlib import crc32

from khoj_ls.core.protocols import Tokenizer

INSIDE, SENTENCE, LINE, BLOCK = range(4)
"""How good it is to cut before a unit: inside a sentence, between sentences, lines, blocks."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]”’»]{0,2}\s+|[。！？][」』”’）]{0,2}")
_BATCH_CHARS = 200_000
"""Texts are tokenized in batches of about this size, so that a huge file does not fill the memory with offsets."""
CHARS_PER_TOKEN = 16
"""A token counts at least this many characters: a tokenizer may call a blob of any length one unknown word."""


class Unit(NamedTuple):
    """A piece of text that stays together."""

    entry: int
    line: int
    """0-based line of the entry."""
    text: str
    cost: int
    """Tokens, as counted within its line."""
    rank: int
    """INSIDE, SENTENCE, LINE or BLOCK."""


class Measured(NamedTuple):
    """A text with where its tokens begin."""

    text: str
    starts: Sequence[int]

    @property
    def cost(self) -> int:
        """Tokens, or what its length makes of them."""
        return cost_of(self.text, len(self.starts))


def cost_of(text: str, tokens: int) -> int:
    """What `tokens` tokens of `text` are taken for."""
    return max(tokens, len(text) // CHARS_PER_TOKEN)


def measure(texts: Sequence[str], tokenizer: Tokenizer) -> list[Measured]:
    """Tokenize every text once, many in one call."""
    measured: list[Measured] = []
    for batch in _batches(texts):
        joined = "\n".join(batch)
        starts = [start for start, end in tokenizer.offsets(joined) if end > start]
        begin = token = 0
        for text in batch:
            end = begin + len(text)
            behind = bisect_left(starts, end, token)
            own = [start - begin for start in starts[token:behind]] if text else []
            # A token may begin with the line break before it (byte-level BPE, SentencePiece): it counts for the line it opens.
            for at in range(bisect_left(own, 0)):
                own[at] = 0
            measured.append(Measured(text, own))
            begin, token = end + 1, behind
    return measured


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and size + len(text) > _BATCH_CHARS:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text) + 1
    if batch:
        yield batch


def units_of_line(entry: int, line: int, measured: Measured, rank: int, grain: int) -> Iterator[Unit]:
    """A line as units of about `grain` tokens at most: whole, else its sentences, else runs of its tokens."""
    text, starts = measured
    if measured.cost <= grain:
        yield Unit(entry, line, text, measured.cost, rank)
        return
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    if not ends or ends[-1] < len(text):
        ends.append(len(text))
    begin = token = 0
    for end in ends:
        behind = bisect_left(starts, end, token)
        tokens = behind - token
        if cost_of(text[begin:end], tokens) <= 2 * grain:
            yield Unit(entry, line, text[begin:end], max(1, cost_of(text[begin:end], tokens)), rank)
        else:
            yield from _runs(entry, line, measured, (begin, end), (token, behind), rank, grain)
        begin, token, rank = end, behind, SENTENCE


def _runs(
    entry: int, line: int, measured: Measured, chars: tuple[int, int], tokens: tuple[int, int], rank: int, grain: int
) -> Iterator[Unit]:
    """Cut text[chars] with its tokens into runs of about `grain` tokens, at blanks where there are some."""
    text, starts = measured
    (begin, end), (token, last) = chars, tokens
    longest = grain * CHARS_PER_TOKEN
    while begin < end:
        behind = min(token + grain, last)
        while behind < last and behind > token + grain // 2 and not text[starts[behind] - 1].isspace():
            behind -= 1
        if behind == token + grain // 2:  # no blank near: any token boundary
            behind = min(token + grain, last)
        stop = min(starts[behind] if behind < last else end, begin + longest)
        stop = max(stop, begin + 1)  # the bytes of one character may be several tokens
        behind = bisect_left(starts, stop, token)
        yield Unit(entry, line, text[begin:stop], max(1, cost_of(text[begin:stop], behind - token)), rank)
        begin, token, rank = stop, behind, INSIDE


def cut_units(units: Sequence[Unit], budget: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Cut `units` into pieces of at most `budget` tokens; yields (first, end) of each.

    A piece after the first begins with whole units, up to `overlap` tokens, of the piece before.
    """
    totals = [0, *accumulate(unit.cost for unit in units)]
    fresh = first = 0
    while fresh < len(units):
        if totals[fresh + 1] - totals[first] > budget:
            first = fresh
        end = max(fresh + 1, bisect_right(totals, totals[first] + budget) - 1)
        if end < len(units):
            end = _best_cut(units, totals, fresh, end)
        yield first, end
        first = _overlap_start(totals, fresh, end, overlap)
        fresh = end


def _overlap_start(totals: Sequence[int], fresh: int, end: int, overlap: int) -> int:
    """First of the last units of [fresh, end) that fit into `overlap` tokens; never all of them."""
    return min(end, max(fresh + 1, bisect_left(totals, totals[end] - overlap)))


def _best_cut(units: Sequence[Unit], totals: Sequence[int], fresh: int, end: int) -> int:
    """Where in (fresh, end] to cut so that the next piece begins at the best place.

    In the second half of what fits: before a block, else a line, else a sentence. Rather than break a block, it is left to
    the next piece as long as a quarter remains.
    """
    room = totals[end] - totals[fresh]
    half = max(fresh + 1, bisect_left(totals, totals[fresh] + room // 2))
    quarter = max(fresh + 1, bisect_left(totals, totals[fresh] + room // 4))
    for rank in (BLOCK, LINE, SENTENCE):
        places = [at for at in range(half, end + 1) if units[at].rank >= rank]
        if places:
            return min(places, key=lambda at: crc32(units[at].text.encode()))
        if rank == BLOCK:
            earlier = next((at for at in range(half - 1, quarter - 1, -1) if units[at].rank == BLOCK), None)
            if earlier is not None:
                return earlier
    return end
