"""Which inputs to send next when the process of a model may end at any of them. Pure.

All go out together. When the process ends, those that were being computed are suspects: each is sent alone before the
rest goes on. One that is alone when the process ends once more is given up; what ends the process from outside (the system,
short of memory) costs a second try and no input.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_MOST_TOGETHER = 1024
_MOST_ENDS = 4
"""Ends in a row, without a single value between them, after which the model itself is to blame."""


@dataclass(frozen=True)
class Attempt:
    """Inputs to send, by their places."""

    places: list[int]
    alone: bool = False


class Attempts:
    """The inputs of one call that have no value yet."""

    def __init__(self, count: int) -> None:
        """Begin with `count` inputs."""
        whole = range(count)
        self._waiting = deque(Attempt(list(whole[at : at + _MOST_TOGETHER])) for at in range(0, count, _MOST_TOGETHER))
        self._suspects: set[int] = set()
        self._ends = 0

    def next(self) -> Attempt | None:
        """What to send now; None when all is done."""
        return self._waiting.popleft() if self._waiting else None

    def arrived(self) -> None:
        """A value came."""
        self._ends = 0

    def ended(self, left: Sequence[int], computing: Collection[int], *, others: bool) -> int | None:
        """The process ended with `left` of an attempt missing, while `computing` of them (and those of `others`) were in work.

        The place of the input to give up, if there is one. Raises RuntimeError when the process ends whatever it is sent.
        """
        self._ends += 1
        if len(computing) == 1 and not others:
            [only] = computing
            if only in self._suspects:
                return only
        if self._ends >= _MOST_ENDS:
            raise RuntimeError(f"it ended {self._ends} times in a row")
        self._suspects.update(computing)
        rest = [place for place in left if place not in computing]
        if rest:
            self._waiting.appendleft(Attempt(rest))
        for place in sorted(computing, reverse=True):
            self._waiting.appendleft(Attempt([place], alone=True))
        return None
