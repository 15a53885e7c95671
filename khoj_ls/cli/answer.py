"""Answers worth showing: a vault's words are complete before its first answer; meaning is waited for where it is needed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from khoj_ls.cli.connection import Connection
from khoj_ls.cli.output import note, plural
from khoj_ls.cli.progress import PHASES, shown_progress
from khoj_ls.core.jobs import Progress

POLL_SECONDS = 0.1
KNOWN_VAULT_SECONDS = 2.0
"""A vault that has an index is waited for this long; then it answers from what it knows, less the latest changes."""
QUIET_SECONDS = 0.5
"""A wait shorter than this needs no words."""

_READING = ("scan", "words")
_STUCK = ("paused", "offline", "waiting", "read-only")
"""Phases in which waiting leads nowhere."""
_FOLLOWS = ("model", "chunk", "embed")


def answered(
    connection: Connection,
    method: str,
    params: Mapping[str, Any],
    roots: Sequence[Path],
    *,
    wait: bool | None,
    needs_vectors: bool,
) -> dict[str, Any]:
    """The result of `method` once the vaults at `roots` can answer it: `wait` None waits for what the question needs.

    What the vaults say of themselves is added as `messages`, where it explains what the answer lacks.
    """
    stuck = False
    for root in roots:
        stuck |= made_ready(connection, root, wait=wait, needs_vectors=needs_vectors)["phase"] in _STUCK
    result: dict[str, Any] = connection.call(method, dict(params))
    told = [_told(connection, root, alone=len(roots) == 1) for root in roots] if stuck or result.get("degraded") else []
    return {**result, "messages": [message for message in told if message]}


def made_ready(connection: Connection, root: Path, *, wait: bool | None, needs_vectors: bool = False) -> dict[str, Any]:
    """Status of the vault at `root`, once it can answer: `wait` None waits for what the question needs, False for nothing."""
    status = begun = _status(connection, root)  # opens the vault, so that files without a marker above are found to be in it
    if wait is not False:
        status = _words_read(connection, root, status)
        if (wait or needs_vectors) and status["coverage"] < 1 and status["phase"] not in _STUCK:
            with shown_progress() as report:
                connection.call("khoj/reindex", {"vault": str(root)}, report)
    return begun


def meaning_awaited(connection: Connection, root: Path, seconds: float) -> None:
    """Wait until everything of the vault is embedded, at most for `seconds` and only while that goes on."""
    begun = time.monotonic()
    status = _status(connection, root)
    if status["coverage"] >= 1 or status["phase"] not in _FOLLOWS:
        return
    with shown_progress() as report:
        while status["coverage"] < 1 and status["phase"] in _FOLLOWS and time.monotonic() - begun < seconds:
            if time.monotonic() - begun > QUIET_SECONDS:
                report(Progress(status["phase"], status["embedded"], status["chunks"], eta_seconds=status["eta_seconds"]))
            time.sleep(POLL_SECONDS)  # the daemon is asked, it does not call back
            status = _status(connection, root)


def _told(connection: Connection, root: Path, *, alone: bool) -> str:
    """What the vault has to say now; with its name unless it is `alone`."""
    status = _status(connection, root)
    message = str(status["message"])
    if not message and status["phase"] in _FOLLOWS:
        message = f"{PHASES[status['phase']]}: meaning follows by itself, and --wait waits for it"
    return message if alone or not message else f"{root}: {message}"


def _words_read(connection: Connection, root: Path, status: dict[str, Any]) -> dict[str, Any]:
    """Status of the vault, once every note's words can be found."""
    if status["phase"] not in _READING:
        return status
    known, begun = status["files"] > status["queue"], time.monotonic()
    with shown_progress() as report:
        while status["phase"] in _READING:
            waited = time.monotonic() - begun
            if known and waited > KNOWN_VAULT_SECONDS:
                break
            if waited > QUIET_SECONDS:
                report(_progress(status))
            time.sleep(POLL_SECONDS)  # the daemon is asked, it does not call back
            status = _status(connection, root)
    if status["phase"] in _READING:
        note(f"{plural(status['queue'], 'note')} still to be read; this answer does not know them")
    return status


def _progress(status: Mapping[str, Any]) -> Progress:
    done, waiting = status["files"], status["queue"]
    total = done + waiting if status["phase"] == "words" else 0
    return Progress(status["phase"], done, total, eta_seconds=status["eta_seconds"])


def _status(connection: Connection, root: Path) -> dict[str, Any]:
    (status,) = connection.call("khoj/status", {"vault": str(root)})["vaults"]
    return dict(status)
