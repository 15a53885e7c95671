"""Bytes that once were a file: cut, repeated, overwritten, put together wrongly."""

from __future__ import annotations

from hypothesis import strategies as st


def mutated(*files: bytes) -> st.SearchStrategy[bytes]:
    """Strategy of files that are damaged in a few places."""

    @st.composite
    def damaged(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(files)))
        for _ in range(draw(st.integers(1, 6))):
            at = draw(st.integers(0, len(data)))
            to = min(len(data), at + draw(st.integers(0, 60)))
            new = draw(
                st.one_of(st.binary(max_size=8), st.sampled_from([bytes(data[at:to]) * 3, b"", b"\n", b"<", b"\xff\xfe"]))
            )
            data[at:to] = new
        return bytes(data)

    return damaged()
