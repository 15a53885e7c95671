from __future__ import annotations

import asyncio
import select
import socket
import threading

import pytest

from khoj_ls.daemon.outgoing import Outgoing

pytestmark = pytest.mark.asyncio

THREADS, LINES, LENGTH = 4, 30, 40_000
"""So much more than a socket holds that most of it has to wait for the client."""


async def connected() -> tuple[Outgoing, asyncio.StreamWriter, socket.socket]:
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    theirs.settimeout(20)
    return Outgoing(writer), writer, theirs


def received(client: socket.socket) -> list[bytes]:
    """The lines up to the end of the connection."""
    said = b""
    while chunk := client.recv(1 << 16):
        said += chunk
    return said.splitlines(keepends=True)


async def test_lines_of_many_threads_reach_a_client_that_reads_late_whole_and_in_order():
    outgoing, writer, client = await connected()

    def say(thread: int) -> None:
        for number in range(LINES):
            outgoing.send(b"%d %d %s\n" % (thread, number, b"x" * LENGTH))

    speakers = [threading.Thread(target=say, args=(thread,)) for thread in range(THREADS)]
    for speaker in speakers:
        speaker.start()
    for speaker in speakers:
        await asyncio.to_thread(speaker.join)
    reading = asyncio.create_task(asyncio.to_thread(received, client))
    outgoing.close()
    writer.close()
    lines = await reading
    assert {len(line) for line in lines} <= {LENGTH + len(b"0 0 \n"), LENGTH + len(b"0 10 \n")}
    said = [tuple(map(int, line.split()[:2])) for line in lines]
    for thread in range(THREADS):
        assert [number for speaker, number in said if speaker == thread] == list(range(LINES))


async def test_what_is_said_while_older_lines_wait_comes_behind_them():
    outgoing, writer, client = await connected()
    filling = b"first" + b"x" * 1_000_000 + b"\n"
    outgoing.send(filling)
    await asyncio.sleep(0)  # the loop takes over what there was no room for
    client.recv(200_000)  # there is room now, and the rest still waits
    outgoing.send(b"second\n")
    reading = asyncio.create_task(asyncio.to_thread(received, client))
    await outgoing.drain()
    outgoing.send(b"third\n")
    outgoing.close()
    writer.close()
    assert [line[-7:] for line in await reading] == [b"xxxxxx\n", b"second\n", b"third\n"]


async def test_a_thread_that_has_an_answer_writes_it_itself():
    outgoing, writer, client = await connected()
    thread = threading.Thread(target=outgoing.send, args=(b"answer\n",))
    thread.start()
    # The loop stands still until the client has read.
    assert client.recv(100) == b"answer\n"
    thread.join()
    outgoing.close()
    writer.close()


async def test_a_thread_writes_itself_again_once_a_slow_client_has_read_all():
    outgoing, writer, client = await connected()
    filling = b"x" * 1_000_000 + b"\n"
    outgoing.send(filling)
    left = len(filling)
    while left:
        left -= len(await asyncio.to_thread(client.recv, left))
    for _ in range(500):
        outgoing.send(b"answer\n")
        if select.select([client], [], [], 0)[0]:  # before the loop could write it
            break
        await asyncio.sleep(0.01)  # between two looks: nothing tells that the writer is empty
        client.recv(100)
    else:
        raise AssertionError("the loop still writes")
    outgoing.close()
    writer.close()


@pytest.mark.parametrize("who", ["the client", "the connection"])
async def test_what_nobody_will_read_is_dropped(who):
    outgoing, writer, client = await connected()
    if who == "the client":
        client.close()
    else:
        outgoing.close()
        writer.close()
    for _ in range(3):
        outgoing.send(b"x" * 1_000_000 + b"\n")
        await asyncio.sleep(0)  # the loop finds that nobody is there
    with pytest.raises(ConnectionError):
        for _ in range(3):
            await outgoing.drain()
            outgoing.send(b"more\n")
    writer.close()
    outgoing.close()
