from __future__ import annotations

import pytest

from khoj_ls.store.database import Database


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "index.db")
    yield database
    database.close()
