"""Messages are found in any stream of bytes, and nonsense between them is told once."""

from __future__ import annotations

import asyncio

import pytest

from khoj_ls.lsp.framing import Frames, Garbled


def read(*chunks: bytes, most: int = 1000) -> list[bytes | str]:
    """Messages, and what is wrong, of a stream that comes in these pieces."""

    async def run():
        reader = asyncio.StreamReader()
        for chunk in chunks:
            reader.feed_data(chunk)
        reader.feed_eof()
        frames, found = Frames(reader, most), []
        while (message := await frames.next()) is not None:
            found.append(message.reason if isinstance(message, Garbled) else message)
        return found

    return asyncio.run(run())


BETWEEN = "there is something else between two messages"
NO_HEADER = "there is something else than a header with a Content-Length"
OK = b"Content-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (OK + OK, [b"ok", b"ok"]),
        (b"Content-Length: 0\r\n\r\n" + OK, [b"", b"ok"]),
        (b"content-length:2\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\nok", [b"ok"]),
        (b"Content-Length: 2\n\nok", [b"ok"]),
        (b"X-Other: a\r\nContent-Length: 2\r\n\r\nok", [b"ok"]),
        (b"\r\n\r\n" + OK, [b"ok"]),
        (b"Content-Length: 6\r\n\r\nhalf", []),
        (b"Content-Length: 6\r\n", []),
        # Shorter than the message is: the rest stands before the next header, and is told.
        (b"Content-Length: 2\r\n\r\n{}{}" + OK, [b"{}", BETWEEN, b"ok"]),
        # Longer: it takes a piece of the next one.
        (b"Content-Length: 4\r\n\r\n{}" + OK + OK, [b"{}Co", NO_HEADER, b"ok"]),
        (b"Content-Length: two\r\n\r\nok" + OK + OK, [NO_HEADER, b"ok", b"ok"]),
        (b"Content-Length: -2\r\n\r\nok" + OK, [NO_HEADER, b"ok"]),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + OK, [NO_HEADER, b"ok"]),
        (
            b"Content-Length: 2000\r\n\r\n" + b"x" * 2000 + OK,
            ["a message has at most 1000 bytes, and this one would have 2000", b"ok"],
        ),
        (
            b"Content-Length: 2\r\nContent-Type: a; charset=latin-1\r\n\r\nok" + OK,
            ["messages are read as UTF-8 only", b"ok", b"ok"],
        ),
        (b"\0" * 100_000 + OK, [NO_HEADER, b"ok"]),
        (b"nonsense\n" * 50_000, []),
    ],
)
def test_what_is_found_in_a_stream(stream, expected):
    assert read(stream) == expected
    if len(stream) < 5000:
        assert read(*(stream[at : at + 1] for at in range(len(stream)))) == expected, "however it is cut"


def test_nonsense_without_an_end_is_not_kept():
    async def run():
        reader = asyncio.StreamReader()
        frames = Frames(reader)
        waiting = asyncio.create_task(frames.next())
        for _ in range(200):
            reader.feed_data(b"\0" * 10_000)
            await asyncio.sleep(0)
        kept = len(frames._buffer)
        waiting.cancel()
        return kept

    assert asyncio.run(run()) < 200_000
