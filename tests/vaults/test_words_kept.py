"""Searches have the words of a large vault read into arrays beside its index, where the next process finds them."""

from __future__ import annotations

from waiting import wait_until

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.search.types import SearchRequest
from khoj_ls.search.word_states import WordStates
from khoj_ls.vaults import OpenVaults

NOTE = "".join(f"# Day {day}\n\nThe heron of day {day}.\n\n" for day in range(400))


def opened(folders):
    return OpenVaults(load_user_settings(folders, {})[0], folders, watch=False)


def found(vault, query):
    return [hit.heading for hit in vault.search(SearchRequest(query, mode="lexical", limit=1)).hits]


def test_words_are_read_once_and_kept(tmp_path, prepared_models, monkeypatch):
    root = tmp_path / "notes"
    root.mkdir()
    for year in range(3):
        (root / f"{year}.md").write_text(NOTE.replace("heron", f"heron{year}"))
    folders = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    folders.data.mkdir(parents=True)
    (folders.data / "models").symlink_to(prepared_models)
    vaults = opened(folders)
    try:
        vault = vaults.open(root)
        vault._index.indexer.index()
        kept = vault._index.folder / "words.postings.json"

        def asked_and_kept():
            assert found(vault, "heron2 399") == ["Day 399"]
            return kept.exists()

        wait_until(asked_and_kept, "the words beside the index")
        assert found(vault, "heron2 399") == ["Day 399"]
        (root / "0.md").write_text(NOTE.replace("heron", "bittern"))
        vault._index.indexer.index()
        assert found(vault, "bittern 398") == ["Day 398"]
    finally:
        vaults.close()

    def read(*args):
        raise AssertionError("the words are read again")

    monkeypatch.setattr(WordStates, "renew", read)
    vaults = opened(folders)
    try:
        vault = vaults.open(root)
        vault._index.indexer.index()
        assert found(vault, "bittern 398") == ["Day 398"]
        state = vault._index._words._held
        assert len(state.entries.parts[0].ids) == 1200
    finally:
        vaults.close()
