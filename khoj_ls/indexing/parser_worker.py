"""The parser worker: `python -m khoj_ls.indexing.parser_worker TOOLS MEMORY_MB NICE [ORDER]`.

It may block, bloat, hang or crash. TOOLS names, as `module:function`, what makes `Tools` of ORDER, which names plugins
(`PluginManager.order`), and of a function to call now and then while a file is read that takes long.

Each request is a list of `Work`; each piece is answered on its own, in order, as soon as it is done.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol, cast

import msgspec

from khoj_ls.core.types import Chunk, Entry, ParsedFile
from khoj_ls.indexing.messages import Answer, Parse, Ready, Work
from khoj_ls.plugins.events import HookCall
from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import own_streams, read_frame, write_frame


class Tools(Protocol):
    """What a worker works with."""

    def parse(self, data: bytes, path: str, without_hooks: Sequence[str] = ()) -> ParsedFile:
        """What the content processor in charge makes of a file, and the plugins but those of `without_hooks`."""
        ...

    def hook_calls(self) -> tuple[HookCall, ...]:
        """How the hooks of plugins did since this was asked last."""
        ...

    def cut(self, title: str | None, entries: Sequence[Entry], tokenizer: str, max_tokens: int) -> list[Chunk]:
        """The chunks of a file, by the tokenizer at `tokenizer`."""
        ...


def main(arguments: Sequence[str]) -> None:
    """Answer requests on standard input until it closes."""
    tools_name, memory_mb, nice, *order = arguments
    # A Ctrl-C in the shell goes to every process in the foreground; ours ends when its parent does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_this_process(memory_mb=int(memory_mb), nice=int(nice))
    requests, answers = own_streams()
    module, _, name = tools_name.partition(":")
    make_tools = cast(Callable[[str, Callable[[], None]], Tools], getattr(importlib.import_module(module), name))
    tools = make_tools("".join(order), lambda: write_frame(answers, Answer(alive=True)))
    write_frame(answers, Ready(os.getpid()))
    decoder = msgspec.msgpack.Decoder(list[Work])
    while (body := read_frame(requests)) is not None:
        for work in decoder.decode(body):
            write_frame(answers, _answer(tools, work))


def _answer(tools: Tools, work: Work) -> msgspec.Raw:
    try:
        if isinstance(work, Parse):
            answer = Answer(parsed=tools.parse(work.data, work.path, work.without_hooks), hook_calls=tools.hook_calls())
        else:
            answer = Answer(chunks=tuple(tools.cut(work.title, work.entries, work.tokenizer, work.max_tokens)))
        return _encoded(answer)
    except MemoryError:
        return _encoded(Answer(error="it takes more memory than index.parser_memory_mb allows"))
    except Exception as error:  # noqa: BLE001 - the boundary of the process: a plugin's fault must cost one file only
        reason = f"the content processor failed ({type(error).__name__}: {error})"
        return _encoded(Answer(error=reason.encode("utf-8", "backslashreplace").decode()[:500]))


def _encoded(answer: Answer) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
