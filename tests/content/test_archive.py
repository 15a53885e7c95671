"""ZIP files that hold too much, or what they should not."""

from __future__ import annotations

import io
import zipfile

import pytest

from khoj_ls.content.archive import Archive
from khoj_ls.content.refusal import Refused


def packed(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_members_are_read():
    archive = Archive(packed(b=b"two", a=b"one"))
    assert (archive.names(), "a" in archive, "c" in archive, archive.read("a")) == (("a", "b"), True, False, b"one")


def test_members_without_a_name_and_folders_are_no_files():
    data = packed(a=b"one", b=b"", **{"c/": b""})
    nameless = data.replace(b"b", b"\0")
    assert (Archive(data).names(), Archive(nameless).names()) == (("a", "b"), ("a",))


def refusal(data: bytes, *names: str) -> str:
    with pytest.raises(Refused) as caught:
        archive = Archive(data, most_bytes=1_000_000)
        for name in names:
            archive.read(name)
    return caught.value.code


BROKEN = packed(a=b"x" * 500)
LYING = packed(a=bytes(900_000)).replace((900_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("data", "names", "code"),
    [
        (b"", (), "damaged"),
        (b"PK\x05\x06" + bytes(4), (), "damaged"),
        (packed(a=b"x"), ("b",), "damaged"),
        (BROKEN[:40] + b"\xff" + BROKEN[41:], ("a",), "damaged"),
        (packed(a=bytes(1_000_001)), ("a",), "too-large"),
        (packed(a=bytes(600_000), b=bytes(600_000)), ("a", "b"), "too-large"),
        (LYING, ("a",), "damaged"),
    ],
    ids=["empty", "no members", "not there", "broken", "bomb", "bombs together", "lies about its size"],
)
def test_what_cannot_be_read_is_refused(data, names, code):
    assert refusal(data, *names) == code


def test_encrypted_files_are_refused():
    data = bytearray(packed(a=b"x"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert refusal(bytes(data)) == "encrypted"
