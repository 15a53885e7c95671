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
            bar.update(
                task,
                description=PHASES.get(progress.phase, progress.phase),
                total=progress.total or None,
                completed=progress.done,
                left=_left(progress),
            )

        yield report


class _Lines:
    """One line at each new phase and every few seconds, for logs and pipes."""

    def __init__(self) -> None:
        self._phase = ""
        self._next = 0.0

    def __call__(self, progress: Progress, /) -> None:
        now = time.monotonic()
        if progress.phase == self._phase and now < self._next:
            return
        self._phase, self._next = progress.phase, now + LINE_SECONDS
        share = f" ({progress.percentage}%)" if progress.percentage is not None else ""
        count = f": {progress.done:,}/{progress.total:,}{share}" if progress.total else ""
        left = _left(progress)
        click.echo(f"{PHASES.get(progress.phase, progress.phase)}{count}{', ' + left if left else ''}", err=True)


def _left(progress: Progress) -> str:
    left = f"{duration(progress.eta_seconds)} left" if progress.eta_seconds is not None and progress.eta_seconds >= 1 else ""
    return ", ".join(part for part in (left, printable(progress.message)) if part)
