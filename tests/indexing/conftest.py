from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The toys are imported by the tests and by the parser workers they start.
sys.path.insert(0, str(HERE))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))

from indexing_bench import InlinePool, Snapshot, Workbench  # noqa: E402

import khoj_ls.indexing.pipeline  # noqa: E402


@pytest.fixture
def parse_inline(monkeypatch):
    """For what is not about worker processes."""
    monkeypatch.setattr(khoj_ls.indexing.pipeline, "ParserPool", InlinePool)


@pytest.fixture
def bench(tmp_path, parse_inline):
    """A workbench that parses in this process."""
    bench = Workbench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def real_bench(tmp_path):
    """A workbench with worker processes."""
    bench = Workbench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def snapshot():
    return Snapshot()
