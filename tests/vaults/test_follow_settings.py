"""Open vaults go on under what the files of settings say while the program runs."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.types import SearchRequest
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.messages import StatusParams
from khoj_ls.wire.operations import status
from khoj_ls.wire.session import Job, Session

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
    assert vault._index.indexer.wait(60)
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
    assert began.wait(60)
    (vault.root / ".khoj.toml").write_text(DIARY_IS_LEFT_OUT)
    vaults.follow_settings(at_once=True)
    waiting.join(60)
    assert [report.files for report in reports] == [2]


ONE_PROFILE = '[search.profiles.mine]\nbase = "precise"\nmax_per_file = 2\n'
GONE = "--set search.profile: there is no profile 'mine' (known: default, precise, broad, recent_focused)"


@pytest.fixture
def vaults_of_a_profile(vaults, tmp_path):
    """Two vaults, opened with `--set search.profile=mine`; the first one's own file has that profile, and the second's, too."""
    vaults.close()
    settings, _ = load_user_settings(vaults.folders, {"embedding.model": "/none", "search.profile": "mine"})
    of_profile = OpenVaults(settings, vaults.folders, watch=False)
    of_profile.both = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".khoj.toml").write_text(ONE_PROFILE)
        of_profile.both.append(of_profile.open(tmp_path / name, exact=True))
    yield of_profile
    of_profile.close()


def test_one_vault_whose_settings_cannot_be_used_keeps_no_other_from_following(vaults_of_a_profile, caplog):
    first, second = vaults_of_a_profile.both
    (first.root / ".khoj.toml").write_text("")
    (second.root / ".khoj.toml").write_text(f"[search]\nlimit = 3\n{ONE_PROFILE}")
    for _ in range(3):
        vaults_of_a_profile.follow_settings()
    assert (first.settings.search.profile, second.settings.search.limit) == ("mine", 3)
    assert [vaults_of_a_profile.settings_fault(vault.root) for vault in (first, second)] == [GONE, ""]
    messages = [vault.message for vault in status(Session(vaults_of_a_profile), StatusParams(), job()).vaults]
    assert [f"changed settings are not followed: {GONE}" in message for message in messages] == [True, False]
    assert [line for line in caplog.messages if GONE in line] == [f"{first.root} goes on under the settings it has: {GONE}"]
    (first.root / ".khoj.toml").write_text(f"[search]\nlimit = 4\n{ONE_PROFILE}")
    vaults_of_a_profile.follow_settings(at_once=True)
    assert (vaults_of_a_profile.settings_fault(first.root), first.settings.search.limit) == ("", 4)


def test_an_index_that_cannot_start_under_new_settings_is_tried_again(vaults, caplog, monkeypatch):
    (vaults.vault.root / ".khoj.toml").write_text(DIARY_IS_LEFT_OUT)
    with monkeypatch.context() as patched:
        patched.setattr(vaults.vault._index, "_start_indexer", no_more_files)
        for _ in range(4):
            vaults.follow_settings()
    assert [record.levelname for record in caplog.records if "does not follow its settings" in record.message] == ["ERROR"]
    assert vaults.settings_fault(vaults.vault.root) == "[Errno 24] Too many open files"
    vaults.follow_settings()
    assert words_of(vaults.vault) == ["tea.md"]
    assert vaults.settings_fault(vaults.vault.root) == ""


def no_more_files(**options):
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def job():
    return Job(CancelToken(), lambda progress: None)


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
