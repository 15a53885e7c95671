"""Finding what was said before: by words, and by meaning where the vault's encoder has read it.

A few thousand turns are compared one by one. Turns are read by the encoder in the background, after they end; what may hold
words of private notes is never read by an encoder on another machine.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from khoj_ls.core.errors import KhojError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.types import Vector
from khoj_ls.search.fusion import combine
from khoj_ls.search.matching import WordFinder
from khoj_ls.search.snippet import excerpt
from khoj_ls.search.words import any_of, phrase, query_terms
from khoj_ls.store import conversations_search as store
from khoj_ls.store.conversations import TurnRow, turns_by_number
from khoj_ls.store.conversations_file import ConversationsFile
from khoj_ls.store.conversations_search import Passage, Unread

log = logging.getLogger(__name__)

_POOL = 200
_MAX_TERMS = 32
_AT_ONCE = 16
_WORDS_SHARE = 0.5
_LEAST_WEIGHT = 0.1
_ONCE = 0.8
"""Of two turns with the same words of the query, the one that has them less often has at least this part of the score."""
_LEAST_COSINE = 0.25
"""What has no word of the query and is farther from it is about something else. all-MiniLM-L6-v2 gives 0.35 to 0.5 to short
turns that are meant in other words, and up to 0.2 to others."""
_PER_CONVERSATION = 3
_PASSAGE_CHARS = 800
_MOST_PASSAGES = 12
_QUESTION_CHARS = 200
"""So much of the question stands before every later passage of its answer."""
_SHORT_ANSWER_CHARS = 200
"""Longer ones are read beside their question, too, not only with it."""
_PATIENCE_SECONDS = 3.0
"""A search waits so long for turns that are just being read, and for the vector of its query."""


_LOOK_SECONDS = 0.02


class Encoder(Protocol):
    """The vault's encoder, as `embed.service.EncoderService` has it. Everything may raise ModelError."""

    @property
    def prepared(self) -> bool:
        """Whether it can be asked at once."""
        ...

    @property
    def id(self) -> str:
        """Under which its vectors are kept."""
        ...

    @property
    def remote(self) -> str:
        """Where texts are sent; empty for a model on this machine."""
        ...

    def prepare(self) -> None:
        """Make it ready."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Vectors of texts, in order."""
        ...

    def embed_query(self, text: str, timeout: float | None = None, token: CancelToken | None = None) -> Vector:
        """Vector of a question."""
        ...


@dataclass(frozen=True)
class RecalledTurn:
    """A turn that was found."""

    conversation: str
    title: str
    turn: str
    question: str
    asked: float
    """Seconds since the epoch."""
    snippet: str
    highlights: tuple[tuple[int, int], ...]
    """[start, end) of words that matched."""
    score: float
    """0..1, absolute."""


@dataclass(frozen=True)
class Recalled:
    """What was found."""

    turns: tuple[RecalledTurn, ...]
    """Best first."""
    degraded: str = ""
    """Why meaning was not looked at, or not everywhere; empty when it was."""


@dataclass(frozen=True)
class _Words:
    scores: Mapping[int, float]
    """0..1, by turn."""
    expression: str = ""
    known: float = 0.0
    """How much of the query stands somewhere, 0..1."""


class Recall:
    """Search of the turns in one file. Thread-safe."""

    def __init__(self, file: ConversationsFile, encoder: Callable[[], Encoder] | None) -> None:
        """Search `file`; `encoder` gives the vault's encoder, None: words alone."""
        self._file = file
        self._encoder = encoder
        self._finder = WordFinder()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again = False
        self._closed = threading.Event()
        self._trouble = ""

    def wake(self) -> None:
        """Let the encoder read in the background what it has not read."""
        with self._lock:
            self._again = True
            if self._encoder is None or self._closed.is_set() or self._thread is not None:
                return
            self._thread = threading.Thread(target=self._read_all, name="khoj-recall", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Read nothing more."""
        self._closed.set()

    def search(self, query: str, limit: int, token: CancelToken, patience: float = _PATIENCE_SECONDS) -> Recalled:
        """Turns that hold words of `query` or mean what it does, best first. Raises Cancelled."""
        words = self._by_words(query)
        token.raise_if_cancelled()
        nearest, degraded = self._by_meaning(query, patience, token)
        token.raise_if_cancelled()
        share = 1.0 if nearest is None else _WORDS_SHARE * words.known
        meaning = {turn: cosine for turn, (cosine, _) in (nearest or {}).items()}
        scores = {
            turn: combine(words.scores.get(turn, 0.0), meaning.get(turn, 0.0), share) for turn in {*words.scores, *meaning}
        }
        fit = (turn for turn in scores if turn in words.scores or meaning[turn] >= _LEAST_COSINE)
        best = sorted(fit, key=lambda turn: (-scores[turn], -turn))
        return Recalled(tuple(self._shown(best[:_POOL], scores, words, nearest or {}, limit)), degraded)

    # -- by words ----------------------------------------------------------------------------------------------------

    def _by_words(self, query: str) -> _Words:
        terms = list(dict.fromkeys(query_terms(query)))[:_MAX_TERMS]
        if not terms:
            return _Words({})
        total, found = self._file.read(lambda c: (store.count_turns(c), [store.turns_with(c, phrase(term)) for term in terms]))
        # What a word tells; one that stands nowhere as much as one that stands once. BM25's own weights fail on a few turns:
        # there a word that two of three have would tell nothing.
        weights = [math.log((total + 2) / (max(1, len(rows)) + 1)) + _LEAST_WEIGHT for rows in found]
        shares: dict[int, float] = {}
        often: dict[int, float] = {}
        for weight, rows in zip(weights, found, strict=True):
            for turn, score in rows.items():
                shares[turn] = shares.get(turn, 0.0) + weight / sum(weights)
                often[turn] = often.get(turn, 0.0) + score
        most = max(often.values(), default=0.0) or 1.0
        scores = {turn: share * (_ONCE + (1 - _ONCE) * often[turn] / most) for turn, share in shares.items()}
        known = sum(weight for weight, rows in zip(weights, found, strict=True) if rows) / sum(weights)
        return _Words(scores, any_of(terms), known)

    # -- by meaning --------------------------------------------------------------------------------------------------

    def _by_meaning(
        self, query: str, patience: float, token: CancelToken
    ) -> tuple[dict[int, tuple[float, Passage]] | None, str]:
        """Cosine and nearest passage by turn, and what is missing; None where meaning cannot be looked at."""
        if self._encoder is None:
            return None, "there is no embedding model: words alone were looked for"
        self.wake()
        self._let_read(patience, token)
        try:
            encoder = self._encoder()
            if not encoder.prepared:
                return None, self._trouble or "the embedding model is being prepared: words alone were looked for"
            model = encoder.id
            vector = encoder.embed_query(query, timeout=patience, token=token)
        except KhojError as error:
            return None, f"words alone were looked for: {error}"
        kept, (unread, private) = self._file.read(lambda c: (store.passages(c, model), store.count_unread(c, model)))
        return _nearest(vector, kept), self._missing(unread, private if encoder.remote else 0)

    def _let_read(self, patience: float, token: CancelToken) -> None:
        """Wait for turns that are just being read."""
        end = time.monotonic() + patience
        while self._is_reading() and time.monotonic() < end:
            if token.wait(_LOOK_SECONDS):
                return

    def _is_reading(self) -> bool:
        with self._lock:
            return self._thread is not None

    def _missing(self, unread: int, private: int) -> str:
        told = [f"{unread - private} turns were looked through for words alone so far"] if unread > private else []
        told += [self._trouble] if told and self._trouble else []
        told += [f"{private} with private notes for words alone, as the encoder is on another machine"] if private else []
        return "; ".join(told)

    def _read_all(self) -> None:
        """Embed what is missing, newest first, until nothing is; an error ends it until it is woken again."""
        while True:
            with self._lock:
                if self._closed.is_set() or not self._again:
                    self._thread = None
                    return
                self._again = False
            try:
                self._read_missing()
                self._trouble = ""
            except KhojError as error:
                log.info("kept turns were not embedded: %s", error)
                self._trouble = str(error)
            except Exception as error:  # noqa: BLE001 - an encoder may be anyone's code; the next search tells what is missing
                log.warning("kept turns were not embedded: %s: %s", type(error).__name__, error)
                self._trouble = f"the embedding model failed ({type(error).__name__}: {error})"

    def _read_missing(self) -> None:
        assert self._encoder is not None
        encoder = self._encoder()
        encoder.prepare()
        model, private = encoder.id, not encoder.remote
        while not self._closed.is_set():
            unread = self._file.read(lambda c: store.unread_turns(c, model, _AT_ONCE, private=private))
            if not unread:
                self._file.write(lambda c: store.drop_other_models(c, model))
                return
            pieces = [(turn, start, end, text) for turn in unread for start, end, text in passages_of(turn)]
            vectors = encoder.embed_documents([text for *_, text in pieces])
            if self._closed.is_set():
                return
            made = [
                (turn, Passage(turn.number, start, end, vector))
                for (turn, start, end, _), vector in zip(pieces, vectors, strict=True)
            ]
            for turn in unread:
                own = [passage for each, passage in made if each is turn]
                self._file.write(partial(store.add_passages, turn=turn, model=model, passages=own))

    # -- what is shown -----------------------------------------------------------------------------------------------

    def _shown(
        self,
        best: Sequence[int],
        scores: Mapping[int, float],
        words: _Words,
        nearest: Mapping[int, tuple[float, Passage]],
        limit: int,
    ) -> Iterator[RecalledTurn]:
        def question(connection: sqlite3.Connection) -> tuple[Mapping[int, TurnRow], Mapping[str, str]]:
            rows = turns_by_number(connection, best)
            return rows, store.titles_of(connection, {row.conversation for row in rows.values()})

        rows, titles = self._file.read(question)
        shown: dict[str, int] = {}
        for number in best:
            row = rows.get(number)
            if row is None or shown.get(row.conversation, 0) >= _PER_CONVERSATION:
                continue
            shown[row.conversation] = shown.get(row.conversation, 0) + 1
            snippet, highlights = self._excerpt(row, words.expression, nearest.get(number))
            score = round(scores[number], 4)
            yield RecalledTurn(
                row.conversation, titles[row.conversation], row.key, row.question, row.asked, snippet, highlights, score
            )
            if sum(shown.values()) >= limit:
                return

    def _excerpt(
        self, row: TurnRow, expression: str, near: tuple[float, Passage] | None
    ) -> tuple[str, tuple[tuple[int, int], ...]]:
        """The place of the answer, or else of the question, that matched; in one line."""
        texts = [" ".join(text.split()) for text in (row.answer, row.question)]
        found = self._finder.find(texts, expression)
        for text, ranges in zip(texts, found, strict=True):
            if ranges:
                return excerpt(text, ranges)
        passage = row.answer[near[1].start : near[1].end or None] if near else row.answer
        return excerpt(" ".join(passage.split()) or texts[1], ())


def passages_of(turn: Unread) -> Iterator[tuple[int, int, str]]:
    """The pieces in which the encoder reads a turn: characters of the answer, and the text."""
    start, question = 0, turn.question
    if question and len(turn.answer) > _SHORT_ANSWER_CHARS:  # which would drown it
        yield 0, 0, question
    for _ in range(_MOST_PASSAGES):
        end = min(len(turn.answer), start + _PASSAGE_CHARS)
        blank = turn.answer.rfind(" ", start + _PASSAGE_CHARS // 2, end) if end < len(turn.answer) else -1
        end = blank if blank > start else end
        yield start, end, f"{question}\n\n{turn.answer[start:end]}".strip()
        start, question = end, turn.question[:_QUESTION_CHARS]
        if start >= len(turn.answer):
            return


def _nearest(vector: Vector, passages: Sequence[Passage]) -> dict[int, tuple[float, Passage]]:
    """Cosine, clipped to 0..1, and passage of each turn's nearest."""
    import numpy as np

    alike = [passage for passage in passages if len(passage.vector) == len(vector)]
    if not alike:
        return {}
    matrix = np.frombuffer(b"".join(passage.vector for passage in alike), dtype="<f4").reshape(len(alike), -1)
    found: dict[int, tuple[float, Passage]] = {}
    for passage, cosine in zip(alike, (matrix @ np.frombuffer(vector, dtype="<f4")).tolist(), strict=True):
        if cosine > found.get(passage.turn, (0.0, passage))[0]:
            found[passage.turn] = min(1.0, cosine), passage
    return found
