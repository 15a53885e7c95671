from __future__ import annotations

import pytest
from vectors_kit import DIMENSIONS

from khoj_ls.store.chunks import ActiveModel, use_model
from khoj_ls.store.database import Database


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "index.db")
    yield database
    database.close()


@pytest.fixture
def model(database) -> ActiveModel:
    with database.write() as connection:
        return use_model(connection, "model-1", "tiny", DIMENSIONS, "chunker-1")
