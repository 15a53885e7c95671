"""A cancel token with an end: what is asked of a model on the side must not hold up the answer."""

from __future__ import annotations

import time

from khoj_ls.core.errors import Cancelled
from khoj_ls.core.jobs import CancelToken

_STEP_SECONDS = 0.05


class Deadline(CancelToken):
    """Called off when its parent is, when it is itself, or after some seconds."""

    def __init__(self, parent: CancelToken, seconds: float) -> None:
        """Make a token that ends `seconds` from now."""
        super().__init__()
        self._parent = parent
        self._end = time.monotonic() + seconds

    @property
    def cancelled(self) -> bool:
        """Whether the work was called off, or its time is over."""
        return super().cancelled or self._parent.cancelled or time.monotonic() >= self._end

    def raise_if_cancelled(self) -> None:
        """Raise `Cancelled` when the work was called off or its time is over."""
        if self.cancelled:
            raise Cancelled("cancelled")

    def wait(self, seconds: float) -> bool:
        """Wait up to `seconds`; True as soon as the work is called off or its time is over."""
        until = time.monotonic() + seconds
        while not self.cancelled and (left := until - time.monotonic()) > 0:
            self._parent.wait(min(left, _STEP_SECONDS))
        return self.cancelled
