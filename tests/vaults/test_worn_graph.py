"""A vault that is written in for long renews its graph of vectors by itself."""

from __future__ import annotations

import pytest
from waiting import wait_until

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.indexing import meaning
from khoj_ls.search.types import SearchRequest
from khoj_ls.store import hnsw_vectors
from khoj_ls.store.hnsw_vectors import hnsw_available
from khoj_ls.vaults import OpenVaults

WRITTEN = 12
"""Versions of one note, of which each leaves its vector."""


@pytest.mark.skipif(not hnsw_available(), reason="no hnswlib on this machine: exact search serves")
def test_what_was_written_over_leaves_the_graph(tmp_path, prepared_models, monkeypatch):
    monkeypatch.setattr(hnsw_vectors, "_ROOM", 4)
    monkeypatch.setattr(meaning, "_SET_ASIDE_AFTER", 3)
    root = tmp_path / "notes"
    root.mkdir()
    (root / "tea.md").write_text("# Tea\n\nGreen, from the pot with the blue lid.\n")
    folders = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    folders.data.mkdir(parents=True)
    (folders.data / "models").symlink_to(prepared_models)
    vaults = OpenVaults(load_user_settings(folders, {"search.exact_vectors_below": 0})[0], folders, watch=False)
    try:
        vault = vaults.open(root)
        for version in range(WRITTEN):
            (root / "draft.md").write_text(f"# Draft {version}\n\nThe roof is to be mended in week {version}.\n")
            vault._index.indexer.index()
            vault.search(SearchRequest("the roof", mode="dense"))
        index = vault._index._vectors
        assert index.kind == "hnsw"
        wait_until(lambda: index._held._graph.get_current_count() < WRITTEN, "a smaller graph")
        assert [hit.path for hit in vault.search(SearchRequest("mending the roof", mode="dense", limit=1)).hits] == ["draft.md"]
    finally:
        vaults.close()
