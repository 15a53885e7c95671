"""What an answer says, beside what it cites: each citation with the sentence of its source, each statement that has none."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from khoj_ls.chat.answer.sentences import Sentence, sentences
from khoj_ls.chat.answer.streaming import Placed
from khoj_ls.chat.prompt.metadata import metadata
from khoj_ls.chat.types import Citation, Source, Statement
from khoj_ls.search.words import is_unspaced, query_terms

_STEM = 6
_LEAST_WORDS = 2
_LEAST_SIGNS = 4
_MOST_QUOTE = 600
_MOST_CLAIM = 1000
_COVERED, _PRECISE, _SPELLED = 0.65, 0.15, 0.2
"""What counts of a sentence: how much of the claim it holds, how little else, and how alike both are spelled."""

_FILLER = re.compile(
    r"(?:sure|certainly|of course|absolutely|great question|good question|you're welcome|thank you|thanks|hello|hi|yes|no|ok|"
    r"okay|i hope (?:this|that) helps|let me know\b.*|feel free\b.*|here (?:is|are)\b.{0,80}|in summary|in short|"
    r"(?:based on|according to) (?:your|the) (?:notes|passages|sources)|gerne?|natürlich|klar|sicher|ja|nein|"
    r"hier (?:ist|sind)\b.{0,80}|bien sûr|voici\b.{0,80}|claro|por supuesto|oui|non|sí|是的|好的|当然|はい|もちろん(?:です)?)"
    r"[\s.!,:…。！]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Checked:
    """An answer, held against its sources."""

    citations: tuple[Citation, ...]
    unsupported: tuple[Statement, ...]


@dataclass(frozen=True)
class _Quotable:
    sentence: Sentence
    terms: frozenset[str]


def checked(
    text: str,
    placed: Sequence[Placed],
    code: Sequence[tuple[int, int]],
    sources: Sequence[Source],
    *,
    statements: bool = True,
    claim: str | None = None,
) -> Checked:
    """Every citation of the answer with its place and the nearest sentence of its source, and what cites nothing.

    With `claim`, that is what all citations stand for: where the answer is made of the sources themselves.
    """
    marks = [(each.start, each.end) for each in placed]
    said = list(sentences(text, code, marks))
    book = _Book(sources)
    citations = tuple(
        book.citation(number, _claim(text, said, each, before) if claim is None else claim, each)
        for before, each in pairwise([None, *placed])
        if each is not None
        for number in each.numbers
        if number in book.by_number
    )
    if not statements:
        return Checked(citations, ())
    starts = [start for start, _ in marks]
    bare = [each for each in said if bisect_left(starts, each.start) == bisect_left(starts, each.end) and _states(each, code)]
    return Checked(citations, tuple(Statement(each.text, each.start, each.end) for each in bare))


def _claim(text: str, said: Sequence[Sentence], mark: Placed, last: Placed | None) -> str:
    """What a citation stands for: its sentence since the `last` one, or all up to it; where it stands alone, the one before."""
    at = bisect_right(said, mark.start, key=lambda each: each.start) - 1
    if at < 0 or mark.start >= said[at].end:
        return text[max(0, mark.start - 200) : mark.start]
    sentence = said[at]
    before = text[max(sentence.start, mark.start - _MOST_CLAIM) : mark.start]
    # The part since the last citation is what this one is for: "A is so [1], but B is not [2]."
    part = text[max(last.end, mark.start - len(before)) : mark.start] if last else before
    whole = sentence.text[:_MOST_CLAIM]
    for claim in (part, before, whole, said[at - 1].text[-_MOST_CLAIM:] if at else ""):
        if len(query_terms(_words(claim))) >= 2:
            return _words(claim)
    return _words(whole)


def _words(text: str) -> str:
    return re.sub(r"\[\^?\d[\d\s,;^–-]*\]", " ", text)


def _states(sentence: Sentence, code: Sequence[tuple[int, int]]) -> bool:
    """Whether a sentence says something that could have a source."""
    if sentence.kind in ("heading", "note"):
        return False
    bare = sentence.text.strip("*_~ \"'”“»«|")
    if bare.endswith(("?", "？", ":", "：")) or _FILLER.fullmatch(bare):
        return False
    at = bisect_right(code, sentence.start, key=lambda each: each[0]) - 1
    if at >= 0 and sentence.end <= code[at][1]:
        return False
    if is_unspaced(bare):
        return sum(char.isalnum() for char in bare) >= _LEAST_SIGNS
    return len(re.findall(r"[^\W_]+", bare)) >= _LEAST_WORDS


class _Book:
    """The sentences of sources, each cut once when it is first asked for."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.by_number: Mapping[int, Source] = {source.number: source for source in sources}

    @cached_property
    def _sentences(self) -> Mapping[int, Sequence[_Quotable]]:
        return {
            number: [_Quotable(each, _terms(each.text)) for each in sentences(source.text, metadata(source.text, source.line))]
            for number, source in self.by_number.items()
        }

    @cached_property
    def _frequency(self) -> Counter[str]:
        return Counter(term for quotables in self._sentences.values() for each in quotables for term in each.terms)

    def citation(self, number: int, claim: str, mark: Placed) -> Citation:
        """The citation of a source for a claim, with its nearest sentence."""
        source = self.by_number[number]
        found = self._nearest(number, claim)
        start, end = (
            (found.start, min(found.end, found.start + _MOST_QUOTE)) if found else (0, min(len(source.text), _MOST_QUOTE))
        )
        quote = source.text[start:end].rstrip()
        first = source.line + _breaks(source.text[:start])
        last = first + _breaks(quote)
        return Citation(number, source.path, source.outline, first, last, quote, mark.start, mark.end, source.place)

    def _nearest(self, number: int, claim: str) -> Sentence | None:
        quotables = self._sentences[number]
        if not quotables:
            return None
        from rapidfuzz import fuzz

        asked = _terms(claim)
        many = max(1, sum(len(each) for each in self._sentences.values()))
        weight = {term: math.log(1 + many / (1 + self._frequency[term])) for term in asked}
        whole = sum(weight.values()) or 1.0

        def likeness(each: _Quotable) -> float:
            shared = asked & each.terms
            covered = sum(weight[term] for term in shared) / whole
            precise = len(shared) / max(1, len(each.terms))
            spelled = fuzz.token_set_ratio(claim.lower(), each.sentence.text[:_MOST_QUOTE].lower()) / 100
            # A heading says what a passage is about, seldom what is claimed of it.
            return (_COVERED * covered + _PRECISE * precise + _SPELLED * spelled) * (
                0.6 if each.sentence.kind == "heading" else 1.0
            )

        return max(quotables, key=likeness).sentence


def _breaks(text: str) -> int:
    """Line breaks in `text`: LF, CR LF or CR."""
    return len(re.findall(r"\r\n|\n|\r", text))


def _terms(text: str) -> frozenset[str]:
    return frozenset(term[:_STEM] for term in query_terms(text))
