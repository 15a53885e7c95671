"""Names as one may begin to write them, found by how much of a name is there.

Names stand in one text, the shortest first. Of names that a query fits in the same way it says the more about a shorter one, so
that the best are found by searching on from the start, and it can stop once there are enough: a single letter, which thousands
of names begin with, costs no more than a word.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice

from khoj_ls.links.text import fold, name_key

_MOST_FOUND = 200
_FEW_FOUND = 50
"""When fewer names hold what is written, it is taken to have slips of the hand."""
_NEAR = 55.0
"""Likeness in percent from which a name with slips of the hand is taken for what was meant."""
_MOST_CHARACTERS = 24
"""Of something longer nobody writes single letters only."""


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a link may lead to, with all that it is called."""

    path: str
    """The note it is or stands in; empty for tags."""
    file_id: int
    names: tuple[str, ...]
    """What it is called, the best to read first."""
    title: str
    """What a reader calls it."""
    id: str = ""
    line: int = 0
    weight: float = 0.0
    """How much is to be said for it when nothing is written yet: newer, or used more often."""


@dataclass(frozen=True)
class Match:
    """How well a name fits what was written."""

    item: Named
    name: str
    """The name that fits."""
    score: float
    """0..1."""


class NameList:
    """Things with names, found by what is written of a name."""

    def __init__(self, items: Iterable[Named]) -> None:
        """Take all `items`."""
        self.items = tuple(items)
        known = [(fold(name.replace("\n", " ")), name, at) for at, item in enumerate(self.items) for name in item.names]
        known.sort(key=lambda each: (len(each[0]), -self.items[each[2]].weight))
        self._folded = [folded for folded, _, _ in known]
        self._names = [name for _, name, _ in known]
        self._owners = [at for _, _, at in known]
        self._plain = _Lines(self._folded)
        self._words = _Lines([" " + words for words in _words("\n".join(self._folded)).split("\n")])

    def get_ready(self) -> None:
        """Have ready what the first question would wait for."""
        _ = self.by_file, self._same_name, self._heaviest, self._of_file

    @cached_property
    def by_path(self) -> Mapping[str, Named]:
        """The last of each note, by its path."""
        return {item.path: item for item in self.items}

    @cached_property
    def by_file(self) -> Mapping[int, Named]:
        """The last of each note, by its id in the index."""
        return {item.file_id: item for item in self.items}

    @cached_property
    def _same_name(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for item in self.items:
            found[name_key(item.path)].append(item.path)
        return found

    @cached_property
    def _heaviest(self) -> Sequence[Match]:
        found = sorted(self.items, key=lambda item: -item.weight)[:_MOST_FOUND]
        return [Match(item, item.names[0], 0.0) for item in found if item.names]

    @cached_property
    def _paths(self) -> _Lines:
        return _Lines([fold(item.path) for item in self.items])

    @cached_property
    def _of_file(self) -> Mapping[int, list[int]]:
        """Numbers of the names of what stands in a note, by its id."""
        found: dict[int, list[int]] = defaultdict(list)
        for number, owner in enumerate(self._owners):
            found[self.items[owner].file_id].append(number)
        return found

    def others(self, path: str) -> list[str]:
        """The paths of other notes with the file name of `path`."""
        return [other for other in self._same_name.get(name_key(path), ()) if other != path]

    def match(self, written: str, besides: Collection[int] = ()) -> list[Match]:
        """What is called like `written`, best first; everything, by weight, where nothing is written.

        The best are enough, but what stands in the notes `besides` (ids in the index) is told however well it fits.
        """
        query = fold(written)
        if not query:
            return list(self._heaviest)
        scores: dict[int, tuple[float, int]] = {}
        for numbers in self._holding(query):
            for number in numbers:
                self._note(scores, number, _score(self._folded[number], query))
                if len(scores) >= _MOST_FOUND:
                    break
            if len(scores) >= _MOST_FOUND:
                break
        for number in (number for file_id in besides for number in self._of_file.get(file_id, ())):
            if query in self._folded[number]:
                self._note(scores, number, _score(self._folded[number], query))
        if len(scores) < _FEW_FOUND:
            self._add_loose(scores, query)
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1][0], -self.items[pair[0]].weight, self.items[pair[0]].title))
        return [Match(self.items[at], self._names[number], score) for at, (score, number) in ranked]

    def near(self, name: str, limit: int, least: float = _NEAR) -> list[Match]:
        """What is called most like `name`, slips of the hand and other word order allowed; alike by `least` percent."""
        from rapidfuzz import fuzz, process

        query = re.sub(r"[-_./]+", " ", fold(name))
        plain = [re.sub(r"[-_./]+", " ", folded) for folded in self._folded]
        found: dict[int, tuple[float, int]] = {}
        for scorer, share in ((fuzz.ratio, 1.0), (fuzz.token_sort_ratio, 0.95)):
            for _, score, number in process.extract(query, plain, scorer=scorer, limit=4 * limit, score_cutoff=least):
                self._note(found, number, share * score / 100)
        ranked = sorted(found.items(), key=lambda pair: (-pair[1][0], self.items[pair[0]].path))
        return [Match(self.items[at], self._names[number], score) for at, (score, number) in ranked[:limit]]

    def on_path(self, written: str) -> list[Named]:
        """Things in notes whose path holds `written`, as they were given."""
        wanted = fold(written)
        return [self.items[at] for at in islice(self._paths.holding(wanted), _MOST_FOUND)] if wanted else []

    def _note(self, scores: dict[int, tuple[float, int]], number: int, score: float) -> None:
        owner = self._owners[number]
        if score > scores.get(owner, (0.0, 0))[0]:
            scores[owner] = (score, number)

    def _holding(self, query: str) -> Iterator[Iterator[int]]:
        """Numbers of the names that hold `query`, or all its words where words begin: the better they fit the sooner."""
        begun = " " + _words(query)
        yield self._words.holding("\n" + begun)
        yield self._words.holding(begun)
        parts = [" " + part for part in begun.split()]
        if len(parts) > 1:
            rarest = max(parts, key=len)
            yield (number for number in self._words.holding(rarest) if all(part in self._words[number] for part in parts))
        yield self._plain.holding(query)

    def _add_loose(self, scores: dict[int, tuple[float, int]], query: str) -> None:
        """Names that hold the characters in their order, and those that are nearly what is written."""
        from rapidfuzz import fuzz, process

        plain = [character for character in query if not character.isspace()]
        if 2 <= len(plain) <= _MOST_CHARACTERS:
            for number, length in islice(self._plain.in_order(plain), _MOST_FOUND):
                self._note(scores, number, 0.3 * len(plain) / max(len(plain), length))
        if len(query) > 2:
            # The ratio of two texts is at most twice the shorter one's share of both: others need no comparison.
            longest = len(query) * (200 / _NEAR - 1)
            end = bisect_right(self._folded, longest, key=len)
            begin = bisect_left(self._folded, len(query) / (200 / _NEAR - 1), key=len)
            some = self._folded[begin:end]
            for _, score, number in process.extract(query, some, scorer=fuzz.ratio, limit=30, score_cutoff=_NEAR):
                self._note(scores, begin + number, 0.5 * score / 100)


class _Lines:
    """Texts without line breaks, searched all at once."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._text = "\n".join(["", *lines, ""])
        self._starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        """Where the line break before each line is."""

    def __getitem__(self, number: int) -> str:
        return self._lines[number]

    def holding(self, wanted: str) -> Iterator[int]:
        """Numbers of the lines that hold `wanted`, in order; where it begins with a line break, that begin with the rest."""
        at = self._text.find(wanted)
        while at >= 0:
            number = bisect_right(self._starts, at) - 1
            yield number
            at = self._text.find(wanted, self._starts[number + 1])

    def in_order(self, characters: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Numbers of the lines that hold all `characters` in this order, and over how many characters."""
        pattern = "(?m)^" + "".join(f"[^{re.escape(each)}\n]*{re.escape(each)}" for each in characters)
        for found in re.finditer(pattern, self._text):
            yield bisect_right(self._starts, found.start() - 1) - 1, found.end() - found.start()


def _words(text: str) -> str:
    """`text` with blanks for all that is no letter or digit, line breaks apart: a word begins behind a blank."""
    return text.translate({ord(sign): " " for sign in set(text) if not sign.isalnum() and sign != "\n"})


def _score(name: str, query: str) -> float:
    """How much `query`, which `name` holds in some way, says about it: whole, beginning, beginning of a word, inside."""
    if name == query:
        return 1.0
    share = len(query) / max(1, len(name))
    if name.startswith(query):
        return 0.85 + 0.1 * share
    if re.search(r"(?<![^\W_])" + re.escape(query), name):
        return 0.7 + 0.1 * share
    return (0.5 if query in name else 0.6) + 0.1 * share
