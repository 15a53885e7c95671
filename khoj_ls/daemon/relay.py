"""What an editor starts: copies bytes between its standard streams and the daemon. Standard library only, and little of it.

It understands nothing of what it copies but the editor's last words: `shutdown` and `exit` decide the exit status.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence

from khoj_ls.core.errors import DaemonError
from khoj_ls.daemon.dial import dial

_CHUNK = 1 << 16
_LONGEST_WORD = 64
"""`"method": "shutdown"` is not longer, unless somebody puts blanks into it."""
_LAST_WORDS = re.compile(rb'"method"\s*:\s*"(shutdown|exit)"')
"""A quote inside a JSON string is escaped, so these words stand for the methods and never for a note's text."""
_GRACE_SECONDS = 2.0
"""How long the daemon may be silent before we leave, once the editor has closed its side."""


def main(command: Sequence[str] | None = None) -> int:
    """Connect, and copy until one side ends. `command` starts the daemon, if not the usual one.

    Returns 1 when there is no daemon to be had; else ends the process: 0 after a clean end, 1 when the daemon was lost.
    """
    # A Ctrl-C in the editor's terminal reaches us too: end without a trace.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        link = dial("lsp", command=command)
    except DaemonError as error:
        _say(str(error))
        return 1
    _binary_streams()
    status = _Copy(link.socket).run(link.reply.rest)
    # The other thread may sit in a read that nothing will end: leave without waiting for it.
    os._exit(status)


class _Copy:
    """One connection being copied: upwards (editor to daemon) in a thread of its own, downwards in the calling one."""

    def __init__(self, connected: socket.socket, source: int = 0, sink: int = 1) -> None:
        self._socket = connected
        self._source = source
        self._sink = sink
        self._editor_left = False
        self._tail = b""
        """The end of what the editor said, in which a method may begin."""
        self._said: set[bytes] = set()
        """Which of `shutdown` and `exit` the editor has said."""
        self._received_at = time.monotonic()

    def run(self, first: bytes) -> int:
        """Copy, beginning with `first` downwards; returns the exit status."""
        threading.Thread(target=self._upwards, name="khoj-up", daemon=True).start()
        daemon_ended = self._downwards(first)
        if self._editor_left or not daemon_ended:
            return 0
        if b"exit" not in self._said:
            _say("the daemon ended; start the language server again (khoj-ls daemon logs shows why)")
            return 1
        # LSP 3.17, exit: 0 if `shutdown` came before, else 1.
        return 0 if b"shutdown" in self._said else 1

    def _upwards(self) -> None:
        while data := self._read():
            # Noted before it is sent: the answer to `exit` is that the daemon closes the connection.
            heard = self._tail + data
            self._said.update(_LAST_WORDS.findall(heard))
            self._tail = heard[-_LONGEST_WORD:]
            try:
                self._socket.sendall(data)
            except OSError:  # the daemon is gone; the other direction notices and decides
                return
        self._editor_left = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return
        while (silent := time.monotonic() - self._received_at) < _GRACE_SECONDS:
            time.sleep(_GRACE_SECONDS - silent)  # answers that are under way still come
        os._exit(0)

    def _read(self) -> bytes:
        try:
            return os.read(self._source, _CHUNK)
        except OSError:  # the editor was killed
            return b""

    def _downwards(self, first: bytes) -> bool:
        """True when the daemon ended, False when the editor stopped reading."""
        editor_reads = _editor_reads(self._socket, self._sink)
        view = memoryview(bytearray(_CHUNK))
        if not self._write(memoryview(first)):
            return False
        while editor_reads():
            try:
                size = self._socket.recv_into(view)
            except OSError:  # reset: the daemon was killed with our bytes unread
                return True
            if not size:
                return True
            self._received_at = time.monotonic()
            if not self._write(view[:size]):
                return False
        return False

    def _write(self, data: memoryview) -> bool:
        try:
            while data:
                data = data[os.write(self._sink, data) :]
        except OSError:
            return False
        return True


def _editor_reads(connected: socket.socket, sink: int) -> Callable[[], bool]:
    """A function that waits for bytes from the daemon; False as soon as nobody reads `sink` any more.

    An editor that was killed may leave our standard input open in a process it had started, but never its own end of `sink`.
    """
    if not hasattr(select, "poll"):
        return lambda: True
    poll = select.poll()
    poll.register(connected.fileno(), select.POLLIN)
    poll.register(sink, 0)

    def wait() -> bool:
        return not any(descriptor == sink and events & (select.POLLERR | select.POLLHUP) for descriptor, events in poll.poll())

    return wait


def _binary_streams() -> None:
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (0, 1):
            msvcrt.setmode(descriptor, os.O_BINARY)


def _say(message: str) -> None:
    try:
        os.write(2, f"khoj-ls: {message}\n".encode(errors="replace"))
    except OSError:  # nobody listens there either
        return
