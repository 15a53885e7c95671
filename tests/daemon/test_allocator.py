"""Memory that was freed goes back to the system."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from khoj_ls.daemon import allocator


@pytest.mark.parametrize(
    ("looks", "given_back"),
    [
        ([(5, 0.1), (65, 0.2), (130, 0.9)], []),
        ([(5, 3), (55, 20)], []),
        ([(5, 0.5), (60, 3), (65, 30), (115, 60), (120, 61), (125, 62)], [60, 120]),
        ([(70, 2), (140, 2.5), (200, 3.1)], [70, 200]),
    ],
    ids=["nothing was done", "not so soon", "once a minute", "nothing was done since"],
)
def test_once_a_minute_if_anything_was_done(looks, given_back):
    now, worked, done = [0.0], [0.0], []
    memory = allocator.NowAndThen(lambda: done.append(now[0]), lambda: now[0], lambda: worked[0])
    for now[0], worked[0] in looks:
        memory.look()
    assert done == given_back


@pytest.mark.parametrize("call", [allocator.few_arenas, allocator.large_blocks_apart, allocator.trim])
@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_without_glibc_nothing_happens(call, platform, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    assert call() is False


def test_a_c_library_without_these_calls_is_borne(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    assert allocator._called("no_such_call_of_any_library", 0) is False


_HELD_APART = """
import ctypes, sys
from khoj_ls.daemon import allocator

class Counts(ctypes.Structure):
    # struct mallinfo2 of malloc.h: `apart` (hblkhd) are the bytes of blocks that came from the system one by one.
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks apart usmblks fsmblks used free top".split()]

c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
c.mallinfo2.restype = Counts
if sys.argv[1] == "apart":
    assert allocator.large_blocks_apart()
c.free(c.malloc(8_000_000))
before = c.mallinfo2().apart
kept = c.malloc(1_000_000)
print(c.mallinfo2().apart - before >= 1_000_000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc 2.33 tells")
@pytest.mark.parametrize(("asked", "apart"), [("apart", "True"), ("as it is", "False")])
def test_after_a_large_block_the_next_lies_apart_too(asked, apart):
    told = subprocess.run([sys.executable, "-c", _HELD_APART, asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == apart
