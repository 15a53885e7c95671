"""What waits to be looked at: one place per path, the user's own edits before the backlog, bounded, and never a lost change.

A change is a hint that a path may differ from what the store holds. Whoever takes it looks at the file as it is by then, so
hints may come twice, late, in any order, or be wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import IntEnum


class Lane(IntEnum):
    """How urgent a change is."""

    OPEN = 0
    """A buffer or a file just saved in an editor."""
    LIVE = 1
    """Changed on disk while we watched."""
    BACKLOG = 2
    """Found by a scan."""
    LAST = 3
    """To be read by a processor that takes long for a file: after all others, wherever it came from."""


class Depth(IntEnum):
    """How much of a change is believed without looking."""

    STAT = 0
    """An unchanged stat ends the matter."""
    READ = 1
    """The file is read; unchanged content ends the matter."""
    PARSE = 2
    """The file is read and parsed whatever it holds."""


@dataclass(frozen=True)
class Change:
    """A path that may have changed."""

    path: str
    lane: Lane
    due: float
    """`time.monotonic()` from which it may be taken."""
    depth: Depth = Depth.STAT
    private: bool = False
    """Whether a rule makes the note private; known from when it is looked at."""


@dataclass(frozen=True)
class Rescan:
    """A folder (relative, no final slash; empty: the vault) to be walked."""

    folder: str
    depth: Depth = Depth.STAT
    believe_empty: bool = False
    """The user says that an empty vault is empty, and no disk that is not mounted."""


class ChangeQueue:
    """Thread-safe. `wake` is called, from any thread, when changes were put in, `wake_scanner` when a rescan was asked for."""

    def __init__(
        self, wake: Callable[[], None], wake_scanner: Callable[[], None], *, capacity: int = 10_000, folders: int = 32
    ) -> None:
        """Hold up to `capacity` changes that no scan brought and `folders` rescans; more collapse into a rescan of all."""
        self._wake = wake
        self._wake_scanner = wake_scanner
        self._capacity = capacity
        self._folders = folders
        self._lock = threading.Lock()
        self._lanes: dict[Lane, dict[str, Change]] = {lane: {} for lane in Lane}
        self._rescans: dict[str, Rescan] = {}
        self._paused = False
        self._held = False
        self._version = 0

    def __len__(self) -> int:
        """How many paths wait."""
        with self._lock:
            return sum(len(lane) for lane in self._lanes.values())

    @property
    def version(self) -> int:
        """Grows with every change and rescan that comes in."""
        return self._version

    @property
    def paused(self) -> bool:
        """Whether nothing is given out."""
        return self._paused

    @property
    def held(self) -> bool:
        """Whether the backlog is kept back while edits go through."""
        return self._held

    def put(self, paths: Iterable[str], lane: Lane, *, delay: float = 0.0, depth: Depth = Depth.STAT) -> None:
        """Put in paths, to be taken in this order after `delay` seconds; a path that waits already keeps its earlier time."""
        due = time.monotonic() + delay
        collapsed = False
        with self._lock:
            self._version += 1
            for path in paths:
                self._put(Change(path, lane, due, depth))
            live = self._lanes[Lane.LIVE]
            if len(live) > self._capacity:
                self._rescan(Rescan("", max(change.depth for change in live.values())))
                live.clear()
                collapsed = True
        if collapsed:
            self._wake_scanner()
        self._wake()

    def rescan(self, folder: str = "", depth: Depth = Depth.STAT, *, believe_empty: bool = False) -> None:
        """Ask for a walk of `folder`. Walks that wait are merged; one that is under way does not count."""
        with self._lock:
            self._version += 1
            self._rescan(Rescan(folder, depth, believe_empty))
        self._wake_scanner()

    def take(self, limit: int, busy: Collection[str] = (), *, last: int = 0) -> list[Change]:
        """Take out up to `limit` changes that are due, the most urgent lane first, leaving paths in `busy` where they are.

        Of the last lane up to `last`, and only where nothing else is due.
        """
        now = time.monotonic()
        taken: list[Change] = []
        with self._lock:
            for lane in () if self._paused else Lane:
                if lane >= Lane.BACKLOG and (self._held or taken):
                    break  # edits travel alone: their transaction must be small
                most = min(limit, last) if lane is Lane.LAST else limit
                for change in self._lanes[lane].values():
                    if len(taken) >= most:
                        break
                    if change.due <= now and change.path not in busy:
                        taken.append(change)
            for change in taken:
                del self._lanes[change.lane][change.path]
        return taken

    def put_off(self, paths: Iterable[str]) -> None:
        """Of these paths, which are being read and take long, have what came of no editor wait in the last lane."""
        with self._lock:
            for path in paths:
                for lane in (Lane.LIVE, Lane.BACKLOG):
                    if change := self._lanes[lane].pop(path, None):
                        self._lanes[Lane.LAST][path] = replace(change, lane=Lane.LAST)

    def take_rescans(self) -> list[Rescan]:
        """Take out all rescans asked for."""
        with self._lock:
            if self._paused:
                return []
            rescans, self._rescans = list(self._rescans.values()), {}
            return rescans

    def next_due(self, *, last: bool = True) -> float | None:
        """Seconds until a change is due, 0 when one is; None when none may be taken. Without `last`, of the other lanes."""
        now = time.monotonic()
        with self._lock:
            if self._paused:
                return None
            lanes = [lane for lane in Lane if not (self._held and lane >= Lane.BACKLOG) and (last or lane is not Lane.LAST)]
            # What nobody waits for is never put in with a delay: its first change tells.
            dues = [
                change.due
                for lane in lanes
                for change in (list(self._lanes[lane].values()) if lane < Lane.BACKLOG else _first(self._lanes[lane]))
            ]
        return max(0.0, min(dues) - now) if dues else None

    def waits(self, lane: Lane) -> bool:
        """Whether changes of this lane wait."""
        with self._lock:
            return bool(self._lanes[lane])

    def rescans_wait(self) -> bool:
        """Whether a walk was asked for and not begun."""
        with self._lock:
            return bool(self._rescans)

    def pause(self) -> None:
        """Give out nothing until `resume`; changes go on being taken in."""
        with self._lock:
            self._paused = True

    def hold(self) -> None:
        """Keep back what scans brought until `resume`; edits go through."""
        with self._lock:
            self._held = True

    def resume(self) -> None:
        """Give out everything again."""
        with self._lock:
            self._paused = self._held = False
            self._version += 1
        self._wake_scanner()
        self._wake()

    def _put(self, change: Change) -> None:
        for lane in Lane:
            known = self._lanes[lane].get(change.path)
            if known is not None:
                merged = replace(known, due=min(known.due, change.due), depth=max(known.depth, change.depth))
                if change.lane >= lane:
                    self._lanes[lane][change.path] = merged
                    return
                del self._lanes[lane][change.path]
                change = replace(merged, lane=change.lane)
                break
        self._lanes[change.lane][change.path] = change

    def _rescan(self, wanted: Rescan) -> None:
        for known in list(self._rescans.values()):
            if known.folder == wanted.folder:
                believe_empty = known.believe_empty or wanted.believe_empty
                wanted = Rescan(wanted.folder, max(known.depth, wanted.depth), believe_empty)
            elif _within(wanted.folder, known.folder) and known.depth >= wanted.depth:
                return
            if _within(known.folder, wanted.folder) and wanted.depth >= known.depth:
                del self._rescans[known.folder]
        self._rescans[wanted.folder] = wanted
        if len(self._rescans) > self._folders:
            self._rescans = {"": Rescan("", max(rescan.depth for rescan in self._rescans.values()))}


def _within(folder: str, outer: str) -> bool:
    return not outer or folder == outer or folder.startswith(f"{outer}/")


def _first(lane: dict[str, Change]) -> list[Change]:
    return [next(iter(lane.values()))] if lane else []
