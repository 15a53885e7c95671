"""How a verb ends: 0 found or done, 1 nothing found, 2 wrong usage, 3 failure, 130 called off with Ctrl-C."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

import click

from khoj_ls.cli.output import echo_json, printable
from khoj_ls.core.errors import Cancelled, KhojError, UsageError

FOUND, NOTHING, USAGE, FAILURE, CANCELLED = 0, 1, 2, 3, 130


class OutputClosed(Exception):
    """Nobody reads our output any more (`khoj-ls search ... | head -1`)."""


def guarded(call: Callable[[], int | None], *, as_json: bool) -> int:
    """Run `call` and return the exit status; whatever goes wrong becomes one line on stderr, or JSON on stdout."""
    try:
        try:
            status = call() or FOUND
        except (OutputClosed, BrokenPipeError):
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary of the process: whatever it was, the person hears of it
            status = _tell(error, as_json=as_json)
        sys.stdout.flush()
        return status
    except (OutputClosed, BrokenPipeError):
        # The interpreter flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FOUND


def _tell(error: BaseException, *, as_json: bool) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FOUND
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not as_json:
        click.echo(error.format_message(), err=True)
        return USAGE
    status, code, message = _described(error)
    if as_json:
        echo_json({"error": {"code": code, "message": message}})
    if not as_json or status == CANCELLED:
        click.secho(f"khoj-ls: {message}", err=True, fg=None if status == CANCELLED else "red")
    return status


def _described(error: BaseException) -> tuple[int, str, str]:
    """Exit status, stable code, and one line that says what to do."""
    if isinstance(error, (KeyboardInterrupt, click.Abort, Cancelled)):
        return CANCELLED, Cancelled.code, str(error) or "cancelled"
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return USAGE, UsageError.code, f"a verb is missing (see: {error.ctx.command_path if error.ctx else 'khoj-ls'} --help)"
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "khoj-ls"
        return USAGE, UsageError.code, f"{_line(error.format_message()).rstrip('.')} (see: {where} --help)"
    if isinstance(error, click.ClickException):
        return FAILURE, KhojError.code, _line(error.format_message())
    if isinstance(error, KhojError):
        return USAGE if isinstance(error, UsageError) else FAILURE, error.code, _line(str(error))
    if isinstance(error, OSError):
        return FAILURE, KhojError.code, _line(str(error))
    # A defect of ours: the trace is what a report of it needs.
    for line in "".join(traceback.format_exception(error)).splitlines():
        click.echo(printable(line), err=True)
    return FAILURE, "khoj.internal", f"internal error, {type(error).__name__}: please report it with the lines above"


def _line(message: str) -> str:
    return printable(" ".join(message.split()))
