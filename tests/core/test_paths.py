"""Paths as clients write them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.core.paths import uri_below

NAMES = (
    (st.text(max_size=8).map(lambda text: text.encode(errors="replace")) | st.binary(max_size=8))
    .map(lambda name: os.fsdecode(name.replace(b"/", b" ").replace(b"\0", b"%")))
    .filter(lambda name: name not in ("", ".", ".."))
)


@pytest.mark.parametrize("root", ["/", "/notes", "/home/anna/Notizen & mehr/日記", "/caf\udce9"])
@given(names=st.lists(NAMES, min_size=1, max_size=3))
def test_a_uri_is_the_one_of_the_path(root, names):
    path = "/".join(names)
    assert uri_below(Path(root).as_uri(), path) == (Path(root) / path).as_uri()
