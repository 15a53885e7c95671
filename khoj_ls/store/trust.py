"""Whether a graph of near neighbours is still to be asked, after it was caught missing a region now and then."""

from __future__ import annotations

_MOST_DOUBTED = 3
_WITHIN = 300
"""Of the answers of a sound graph one in more than a thousand is doubted: three of 300 by chance once in 300,000 questions."""


class Trust:
    """Counts the answers that were doubted, lately. Not thread-safe."""

    def __init__(self) -> None:
        """Trust."""
        self._asked = self._doubted = 0

    def holds(self, *, doubted: bool) -> bool:
        """Count one more answer; False once too many of some hundreds were doubted."""
        if self._asked == _WITHIN:
            self._asked = self._doubted = 0
        self._asked += 1
        self._doubted += doubted
        return self._doubted < _MOST_DOUBTED
