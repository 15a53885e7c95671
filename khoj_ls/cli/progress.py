"""Progress of long work on stderr: a bar with percentage and time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

import click

from khoj_ls.cli.output import duration, printable
from khoj_ls.core.jobs import Progress, ProgressCallback

PHASES = MappingProxyType(
    {
        "scan": "looking for changes",
        "words": "reading notes",
        "chunk": "cutting passages",
        "embed": "embedding",
        "model": "preparing the model",
        "ask": "asking",
    }
)
LINE_SECONDS = 2.0
"""Plain lines come no closer together than this."""


@contextmanager
def shown_progress() -> Iterator[ProgressCallback]:
    """A callback that shows progress until the block ends; the bar then goes away."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None, left="")

        def report(progress: Progress) -> None:
            if progress.phase not in PHASES:
                return
            bar.update(
                task,
                description=PHASES[progress.phase],
                total=progress.total or None,
                completed=progress.done,
                left=_left(progress),
            )

        yield report


class _Lines:
    """One line at each new phase, and every few seconds while things move, for logs and pipes."""

    def __init__(self) -> None:
        self._last = ""
        self._phase = ""
        self._next = 0.0

    def __call__(self, progress: Progress, /) -> None:
        now = time.monotonic()
        line = _line(progress)
        if progress.phase not in PHASES or line == self._last or (progress.phase == self._phase and now < self._next):
            return
        self._last, self._phase, self._next = line, progress.phase, now + LINE_SECONDS
        click.echo(line, err=True)


def _line(progress: Progress) -> str:
    counted = progress.total and (progress.done or progress.phase != "model")
    count = f" {progress.done:,}/{progress.total:,} ({progress.percentage}%)" if counted else ""
    left = _left(progress)
    return f"{PHASES.get(progress.phase, progress.phase)}{count}{', ' + left if left else ''}"


def _left(progress: Progress) -> str:
    left = f"{duration(progress.eta_seconds)} left" if progress.eta_seconds is not None and progress.eta_seconds >= 1 else ""
    return ", ".join(part for part in (left, printable(progress.message)) if part)
