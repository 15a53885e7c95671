"""The wire's operations in this process: the same functions the daemon runs, on vaults opened here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import msgspec

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import folders
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken, Progress, ProgressCallback
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.operations import OPERATIONS, Job, Session


@contextmanager
def in_process(overrides: Mapping[str, Any]) -> Iterator[InProcess]:
    """A connection to vaults opened for the block, in this process; checked `overrides` win over all files."""
    here = folders()
    settings, _ = load_user_settings(here, overrides)
    vaults = OpenVaults(settings, here, watch=False, environment=os.environ)
    try:
        yield InProcess(Session(vaults, settings))
    finally:
        vaults.close()


class InProcess:
    """Answers what a daemon would, for one session."""

    def __init__(self, session: Session) -> None:
        """Answer for `session`."""
        self._session = session

    def call(self, method: str, params: Mapping[str, Any], on_progress: ProgressCallback | None = None) -> Any:
        """The result of `khoj/<operation>` as plain values. Raises KhojError; Ctrl-C calls the work off."""
        operation = {f"khoj/{known.name}": known for known in OPERATIONS}[method]
        try:
            given: Any = msgspec.convert(dict(params), operation.params)
        except msgspec.ValidationError as error:
            raise UsageError(f"{method}: {error}") from error
        job = Job(CancelToken(), on_progress or _nothing)
        with ThreadPoolExecutor(1, thread_name_prefix=operation.name) as pool:
            running = pool.submit(operation.run, self._session, given, job)
            try:
                return msgspec.to_builtins(running.result())
            except KeyboardInterrupt:
                job.token.cancel()
                raise


def _nothing(progress: Progress) -> None:
    """Nobody looks."""
