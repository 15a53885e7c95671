"""Work-done progress: core's Progress as `$/progress` messages."""

from __future__ import annotations

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol

from khoj_ls.core.jobs import Progress

_PHASES = (
    ("scan", "looking for changes"),
    ("words", "reading notes"),
    ("chunk", "cutting passages"),
    ("embed", "embedding"),
    ("model", "preparing the model"),
)


class WorkDone:
    """One progress display of the client."""

    def __init__(self, protocol: LanguageServerProtocol, token: int | str) -> None:
        """Show progress under `token`, which the client knows."""
        self.token = token
        self._protocol = protocol
        self._ended = False

    def begin(self, title: str) -> None:
        """Open the display."""
        self._notify(types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0))

    def report(self, progress: Progress) -> None:
        """Show how far it is."""
        if not self._ended:
            self._notify(
                types.WorkDoneProgressReport(message=describe(progress), percentage=progress.percentage, cancellable=True)
            )

    def end(self, message: str = "") -> None:
        """Close the display; further reports are dropped."""
        if not self._ended:
            self._ended = True
            self._notify(types.WorkDoneProgressEnd(message=message or None))

    def _notify(self, value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd) -> None:
        self._protocol.notify(types.PROGRESS, types.ProgressParams(token=self.token, value=value))


def describe(progress: Progress) -> str:
    """One line: `embedding 120/3400, about 2 min left`."""
    parts = [dict(_PHASES).get(progress.phase, progress.phase)]
    if progress.total:
        parts.append(f"{progress.done}/{progress.total}")
    text = " ".join(parts)
    if progress.eta_seconds is not None and progress.eta_seconds >= 1:
        text += f", about {_duration(progress.eta_seconds)} left"
    return f"{text} ({progress.message})" if progress.message else text


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
