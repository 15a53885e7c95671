"""`python -m khoj_ls.plugins.probe`: imports the plugins it is told to, one after the other, and says what came of each."""

from __future__ import annotations

import signal

import msgspec

from khoj_ls.plugins.found import Found
from khoj_ls.plugins.limits import described
from khoj_ls.plugins.loading import Tried, import_plugin
from khoj_ls.workers.frames import own_streams, read_frame, write_frame


def main() -> None:
    """Answer until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the shell reaches us too; our parent decides when we end
    requests, answers = own_streams()
    write_frame(answers, Tried())
    while (body := read_frame(requests)) is not None:
        try:
            import_plugin(msgspec.msgpack.decode(body, type=Found))
            answer = Tried()
        except BaseException as error:  # noqa: BLE001 - the boundary to code of others, SystemExit included: it is told
            answer = Tried(described(error))
        write_frame(answers, answer)


if __name__ == "__main__":
    main()
