"""The daemon's log: readable by its owner only, of bounded size, and free of what people wrote in their notes."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from khoj_ls.core.errors import KhojError

LAYOUT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""Of a line of text, as `khoj_ls.cli.log_lines` reads it."""
MAX_BYTES = 1_000_000
BACKUPS = 3

PLAIN_ERRORS = (
    KhojError,
    OSError,
    sqlite3.Error,
    ImportError,
    AttributeError,
    TypeError,
    NameError,
    MemoryError,
    RuntimeError,
)
"""Errors whose messages speak of the program. Others (ValueError, KeyError, ...) may quote the text that they choked on."""


class OwnLog(RotatingFileHandler):
    """A rotating log file with mode 0600. With `take_stderr`, standard error follows it, also through a rotation."""

    def __init__(self, path: Path, *, take_stderr: bool = False, max_bytes: int = MAX_BYTES) -> None:
        """Append to `path`, in a folder that is made if need be."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._take_stderr = take_stderr
        super().__init__(path, maxBytes=max_bytes, backupCount=BACKUPS, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(DiscreetFormatter(LAYOUT))

    def _open(self):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the type is logging's own affair
        stream = open(  # noqa: SIM115 - the handler closes it
            self.baseFilename,
            self.mode,
            encoding=self.encoding,
            errors=self.errors,
            opener=lambda name, flags: os.open(name, flags, 0o600),
        )
        if hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), 0o600)
        if self._take_stderr:
            os.dup2(stream.fileno(), 2)
        return stream


class DiscreetFormatter(logging.Formatter):
    """Tells where an error happened, and what it says only if that cannot be a piece of a note.

    A message is one line, with nothing in it that a terminal obeys: no name of a file can forge a line of the log.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line of a record, without its error."""
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Lines for an exception and what caused it."""
        error = ei[1]
        parts: list[str] = []
        while error is not None and len(parts) < 10:
            parts.append(_describe(error))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\nwhich came from\n".join(parts)


class JsonFormatter(DiscreetFormatter):
    """One JSON object a line: time (UTC), level, logger, process, thread, message, and of an error `error` and `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "thread": record.threadName,
            "message": one_line(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            told |= {"error": record.exc_info[0].__name__, "trace": self.formatException(record.exc_info)}
        return json.dumps(told)


def one_line(text: str) -> str:
    """`text` with every character escaped that ends a line or that a terminal may obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _describe(error: BaseException) -> str:
    import traceback

    words = f": {one_line(str(error))}" if isinstance(error, PLAIN_ERRORS) else ""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__ + words


def start_logging(path: Path, level: str, form: str = "text", *, foreground: bool = False) -> None:
    """Send the log to `path` (and to standard error as well in the `foreground`), from `level` upwards, as text or json."""
    handlers: list[logging.Handler] = [OwnLog(path, take_stderr=not foreground)]
    if foreground:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        # Also of what the journal of the system keeps nothing is a piece of a note.
        handler.setFormatter(JsonFormatter() if form == "json" else DiscreetFormatter(LAYOUT))
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    # They log a line per event loop and per change of a file, and nothing else of use.
    for name in ("asyncio", "watchfiles"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)


def log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A hook for sys.excepthook: the last words of the process go through the same formatter."""
    logging.getLogger("khoj_ls.daemon").critical("the daemon fails", exc_info=(kind, error, trace))
