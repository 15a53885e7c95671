"""What an editor waits for when no daemon runs: only what is needed to say hello is imported by then."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVING = "import sys, khoj_ls.daemon.run, khoj_ls.daemon.server, khoj_ls.daemon.compose, khoj_ls.lsp.build"


@pytest.mark.parametrize(
    "later",
    [
        "anthropic",
        "filelock",
        "hnswlib",
        "httpx2",
        "khoj_ls.chat.engine",
        "markdown_it",
        "numpy",
        "onnxruntime",
        "openai",
        "orgparse",
        "rapidfuzz",
        "sentence_transformers",
        "sqlite_utils",
        "tokenizers",
        "torch",
        "watchfiles",
    ],
)
def test_it_is_imported_where_it_is_used(imported, later):
    assert later not in imported


@pytest.fixture(scope="module")
def imported():
    code = f"{SERVING}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "lsprotocol.types" in found
    return frozenset(found)
