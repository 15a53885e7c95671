from __future__ import annotations

from typing import Any

import pytest

from khoj_ls.cli.status import _meaning


def vault(**changes: Any) -> dict[str, Any]:
    return {"files": 4, "chunks": 34, "embedded": 34, "coverage": 1.0, "vectors": "empty", **changes}


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "34 of 34 passages"),
        ({"vectors": "exact"}, "34 of 34 passages, searched one by one"),
        ({"vectors": "hnsw", "embedded": 17, "coverage": 0.5}, "17 of 34 passages (50%), searched by an HNSW index"),
        ({"embedded": 0, "chunks": 0, "coverage": 0.0}, "no passages yet"),
        ({"files": 0, "embedded": 0, "chunks": 0}, "no passages"),
    ],
)
def test_how_much_is_found_by_meaning(changes: dict[str, Any], shown: str) -> None:
    assert _meaning(vault(**changes)) == shown
