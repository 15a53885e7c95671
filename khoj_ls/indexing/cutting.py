"""First half of the meaning path: stored files are cut into chunks by the parser workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from khoj_ls.indexing.messages import Answer, Cut
from khoj_ls.indexing.models import ModelInfo
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.parsers import Job
from khoj_ls.indexing.queue import Lane
from khoj_ls.store.chunks import ActiveModel, files_without_chunks, store_chunks
from khoj_ls.store.database import Database
from khoj_ls.store.entries import parsed_entries
from khoj_ls.store.questions import files_without_vectors, indexed_paths

_TAKE = 16
_MOST_BYTES = 32_000_000
_ALL = 1 << 31
PRIORITY = (2.0, 1.0, 0.0, -1.0)
"""By lane: what is embedded first."""


@dataclass(frozen=True)
class CutOrder:
    """A file that is with the workers."""

    file_id: int
    path: str
    lane: Lane
    size: int


@dataclass(frozen=True)
class Stored:
    """What came of files that were cut."""

    lane: Lane
    """The most urgent among them."""
    texts: int
    """How many texts wait for a vector now that did not before, about, and their tokens."""
    tokens: int


class Cutting:
    """Files to cut, in hand, and cut but not stored. For the writer thread only."""

    def __init__(self, database: Database, overlays: Overlays, submit: Callable[[Job[CutOrder]], None]) -> None:
        """Send files to `submit`; buffers in `overlays` are cut once they rest."""
        self._database = database
        self._overlays = overlays
        self._submit = submit
        self._waiting: dict[Lane, dict[int, None]] = {lane: {} for lane in Lane}
        self._cutting: dict[int, CutOrder] = {}
        self._done: list[tuple[CutOrder, Answer]] = []
        self._rest = 0.0
        self._bytes = 0
        self._files = self._chunks = self._tokens = 0
        """How many files were cut and stored, and what they made."""
        self.refused: dict[str, str] = {}
        """Files that are found by words only, with the reason, by path; tried again when they change."""

    def __len__(self) -> int:
        """How many files are not cut yet."""
        return sum(len(lane) for lane in self._waiting.values()) + len(self._cutting)

    @property
    def idle(self) -> bool:
        """Whether no file waits, is being cut, or waits to be stored."""
        return not len(self) and not self._done

    @property
    def rest_seconds(self) -> float:
        """Seconds until the next buffer rests that `begin` passed over; 0 when there was none."""
        return self._rest

    @property
    def expected(self) -> tuple[int, int]:
        """Chunks and tokens that the files not cut yet will make, going by those that were."""
        waiting = len(self)
        if not self._chunks:
            return waiting, 0
        return max(waiting, waiting * self._chunks // self._files), waiting * self._tokens // self._files

    def load(self, model: ActiveModel) -> None:
        """Find what is not cut for this model, or cut but without a vector and not waiting for one."""
        with self._database.read() as connection:
            uncut = files_without_chunks(connection, model.chunker_id, _ALL)
            lost = files_without_vectors(connection, model)
        for file_id in [*uncut, *lost]:
            self.want(file_id, Lane.BACKLOG)

    def want(self, file_id: int, lane: Lane) -> None:
        """The file's entries are new: cut it, and forget what is being made of its old ones."""
        urgent = next((known for known in Lane if file_id in self._waiting[known]), lane)
        self.forget(file_id)
        self._waiting[min(lane, urgent)][file_id] = None

    def forget(self, file_id: int) -> None:
        """The file is gone or about to be cut anew."""
        self._cutting.pop(file_id, None)
        for lane in self._waiting.values():
            lane.pop(file_id, None)

    def begin(self, info: ModelInfo, width: int, *, backlog: bool = True) -> bool:
        """Send files to the workers until `width` are in hand, of the backlog only if it may be; True when there were any."""
        moved = False
        self._rest = 0.0
        for lane in Lane if backlog else (Lane.OPEN, Lane.LIVE):
            queue = list(self._waiting[lane])[: width - len(self._cutting)]
            for start in range(0, len(queue), _TAKE):
                if self._bytes < _MOST_BYTES:
                    moved |= self._send(queue[start : start + _TAKE], lane, info)
        return moved

    def _send(self, ids: list[int], lane: Lane, info: ModelInfo) -> bool:
        moved = False
        with self._database.read() as connection:
            paths = indexed_paths(connection, ids)
            for file_id in ids:
                rest = self._overlays.unrested(paths.get(file_id, ""))
                if rest:
                    self._rest = min(self._rest or rest, rest)
                    continue
                del self._waiting[lane][file_id]
                moved = True
                if file_id in paths:
                    title, entries = parsed_entries(connection, file_id)
                    self._hand_in(file_id, paths[file_id], lane, Cut(title, entries, info.tokenizer, info.max_tokens))
        return moved

    def _hand_in(self, file_id: int, path: str, lane: Lane, work: Cut) -> None:
        job = Job(work, CutOrder(file_id, path, lane, sum(len(entry.raw) for entry in work.entries)), lane < Lane.BACKLOG)
        self._cutting[file_id] = job.owner
        self._bytes += job.owner.size
        self._submit(job)

    def cut(self, job: Job[CutOrder], answer: Answer) -> None:
        """Take in what came of a file."""
        self._bytes -= job.owner.size
        self._done.append((job.owner, answer))

    def withdrawn(self, job: Job[CutOrder]) -> None:
        """Put a file back that no worker has begun."""
        order = job.owner
        self._bytes -= order.size
        if self._cutting.get(order.file_id) is order:
            self.want(order.file_id, order.lane)

    def store(self, model: ActiveModel) -> Stored | None:
        """Store the chunks of all files that are cut and did not change meanwhile; None when there were none."""
        done = [(order, answer) for order, answer in self._done if self._cutting.get(order.file_id) is order]
        texts = 0
        if done:
            with self._database.write() as connection:
                for order, answer in done:
                    texts += store_chunks(connection, model, order.file_id, answer.chunks or (), PRIORITY[order.lane])
        self._done.clear()
        if not done:
            return None
        for order, answer in done:
            del self._cutting[order.file_id]
            self.refused.pop(order.path, None)
            if answer.error:
                self.refused[order.path] = f"it is found by words only, since {answer.error}"
        chunks = [chunk for _, answer in done for chunk in answer.chunks or ()]
        tokens = sum(chunk.tokens for chunk in chunks)
        self._files, self._chunks, self._tokens = self._files + len(done), self._chunks + len(chunks), self._tokens + tokens
        return Stored(min(order.lane for order, _ in done), texts, tokens * texts // max(1, len(chunks)))
