"""Columns of numbers as arrays."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_pairs(
    connection: sqlite3.Connection, first: str, second: str, source: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two columns of whole numbers of a table (or what stands behind FROM), row by row, in any order."""
    import numpy as np

    # One row, made and read without Python: a hundred thousand of them would take three times as long.
    firsts, seconds = connection.execute(f"SELECT group_concat({first}), group_concat({second}) FROM {source}").fetchone()
    return np.fromstring(firsts or "", np.int64, sep=","), np.fromstring(seconds or "", np.int64, sep=",")
