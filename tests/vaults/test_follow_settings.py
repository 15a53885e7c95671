"""Open vaults go on under what the files of settings say while the program runs."""

from __future__ import annotations

import threading

import pytest

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.search.types import SearchRequest
from khoj_ls.vaults import OpenVaults

BROKEN = "[index\n"
DIARY_IS_PRIVATE = '[index]\nprivate = ["diary/"]\n'
DIARY_IS_LEFT_OUT = '[index]\nignore = ["diary/"]\n'


@pytest.fixture
def vaults(tmp_path):
    """One vault of two notes is open, without a file of settings."""
    root = tmp_path / "notes"
    (root / "diary").mkdir(parents=True)
    (root / "diary/monday.md").write_text("# Monday\n\nI was sad.\n")
    (root / "tea.md").write_text("# Tea\n\nGreen.\n")
    folders = Folders(*(tmp_path / "own" / name for name in ("config", "data", "state", "run")))
    folders.config.mkdir(parents=True)
    vaults = OpenVaults(load_user_settings(folders, {"embedding.model": "/none"})[0], folders, watch=False)
    vaults.file = folders.user_settings
    vaults.vault = vaults.open(root)
    words_of(vaults.vault)
    yield vaults
    vaults.close()


def words_of(vault):
    """Paths of all notes, once all are read."""
    assert vault._index.indexer.wait(20)
    return sorted(hit.path for hit in vault.search(SearchRequest("sad green unsaved", mode="lexical")).hits)


def public_of(vault):
    words_of(vault)
    return sorted(vault.public({"diary/monday.md", "tea.md"}))


@pytest.mark.parametrize(
    ("written", "found", "public"),
    [
        (DIARY_IS_PRIVATE, ["diary/monday.md", "tea.md"], ["tea.md"]),
        (DIARY_IS_LEFT_OUT, ["tea.md"], ["tea.md"]),
        ("[search]\nlimit = 1\n", ["diary/monday.md", "tea.md"], ["diary/monday.md", "tea.md"]),
    ],
)
@pytest.mark.parametrize("whose", ["the vault's", "the user's"])
def test_a_rule_holds_after_two_looks_and_until_it_goes(vaults, written, found, public, whose):
    file = vaults.vault.root / ".khoj.toml" if whose == "the vault's" else vaults.file
    file.write_text(written)
    vaults.follow_settings()
    assert public_of(vaults.vault) == ["diary/monday.md", "tea.md"]  # it may be half written
    vaults.follow_settings()
    assert (words_of(vaults.vault), public_of(vaults.vault)) == (found, public)
    file.unlink()
    vaults.follow_settings(at_once=True)
    assert public_of(vaults.vault) == ["diary/monday.md", "tea.md"]


@pytest.mark.parametrize("broken", ["the vault's", "the user's"])
def test_what_cannot_be_read_changes_nothing(vaults, broken):
    own = vaults.vault.root / ".khoj.toml"
    own.write_text(DIARY_IS_PRIVATE)
    vaults.follow_settings(at_once=True)
    (own if broken == "the vault's" else vaults.file).write_text(BROKEN)
    vaults.follow_settings(at_once=True)
    assert public_of(vaults.vault) == ["tea.md"]


def test_a_file_that_is_away_for_a_moment_changes_nothing(vaults):
    own = vaults.vault.root / ".khoj.toml"
    own.write_text(DIARY_IS_PRIVATE)
    vaults.follow_settings(at_once=True)
    for _ in range(3):
        own.unlink()
        vaults.follow_settings()
        own.write_text(DIARY_IS_PRIVATE)
        vaults.follow_settings()
    assert public_of(vaults.vault) == ["tea.md"]


def test_a_vault_of_another_is_read_under_its_own_rules(vaults, tmp_path):
    """The folder is swapped while it is open."""
    root = vaults.vault.root
    root.rename(tmp_path / "before")
    (root / "diary").mkdir(parents=True)
    (root / "diary/monday.md").write_text("# Tuesday\n\nI was sad.\n")
    (root / ".khoj.toml").write_text(DIARY_IS_PRIVATE)
    vaults.follow_settings(at_once=True)
    vaults.vault.index(wait=False)
    assert public_of(vaults.vault) == []
    assert words_of(vaults.vault) == ["diary/monday.md"]


def test_unsaved_text_and_a_pause_stay(vaults):
    vault = vaults.vault
    vault.overlay(vault.root / "tea.md", "# Tea\n\nSomething unsaved.\n", 1)
    vault.overlay(vault.root / "tea.md", "# Tea\n\nUnsaved still.\n", 2)
    (vault.root / ".khoj.toml").write_text(DIARY_IS_LEFT_OUT)
    vaults.follow_settings(at_once=True)
    assert words_of(vault) == ["tea.md"]
    assert vault.search(SearchRequest("still", mode="lexical")).hits
    vault.set_paused(True)
    (vault.root / ".khoj.toml").write_text("")
    vaults.follow_settings(at_once=True)
    assert vault.status().paused


def test_who_waits_for_the_index_waits_for_the_new_one(vaults):
    vault = vaults.vault
    vault.set_paused(True)
    (vault.root / "new.md").write_text("# New\n\nGreen.\n")
    vault.changed(vault.root / "new.md")
    began, reports = threading.Event(), []
    vault._index.indexer.resume = began.set  # a wait that can only end after the change
    waiting = threading.Thread(target=lambda: reports.append(vault.index()))
    waiting.start()
    assert began.wait(20)
    (vault.root / ".khoj.toml").write_text(DIARY_IS_LEFT_OUT)
    vaults.follow_settings(at_once=True)
    waiting.join(20)
    assert [report.files for report in reports] == [2]


@pytest.mark.parametrize(
    ("written", "waits"),
    [
        ("[daemon]\nnice = 3\n", True),
        ('vaults = ["/notes"]\n', True),
        ("[search]\nlimit = 3\n", False),
        ('[chat]\npersona = "writer"\n', False),
    ],
)
def test_what_holds_only_from_the_start_is_told(vaults, written, waits):
    vaults.file.write_text(written)
    assert vaults.outdated is waits
