"""How a verb reaches the notes: through the daemon, or by the same operations in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from khoj_ls.cli.output import note
from khoj_ls.cli.run import Run
from khoj_ls.core.errors import DaemonError
from khoj_ls.core.jobs import ProgressCallback


class Connection(Protocol):
    """Answers the requests of the wire."""

    def call(self, method: str, params: Mapping[str, Any], on_progress: ProgressCallback | None = None) -> Any:
        """The result of `khoj/<operation>` as plain values. Raises KhojError; Ctrl-C calls the work off."""
        ...


@contextmanager
def connect(run: Run) -> Iterator[Connection]:
    """Reach the daemon, starting it when none runs; work here when none can be started or the command line says so."""
    if run.sets:
        # The daemon has settings of its own; those of one run hold in one process.
        from khoj_ls.config.load import assignments

        overrides = assignments(run.sets)
    else:
        overrides = {}
    if not (run.in_process or overrides):
        from khoj_ls.daemon.client import DaemonClient

        try:
            daemon = DaemonClient.connect(start=True)
        except DaemonError as error:
            note(f"{error}; working without the daemon")
        else:
            with daemon:
                yield daemon
            return
    from khoj_ls.cli.inprocess import in_process

    with in_process(overrides) as here:
        yield here
