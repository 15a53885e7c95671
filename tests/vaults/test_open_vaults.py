"""Which vaults stay open in a process that many come to."""

from __future__ import annotations

import pytest
from waiting import wait_until

from khoj_ls import vaults as room
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.vaults import OpenVaults

NAMES = [f"v{number:02}" for number in range(12)]


@pytest.fixture
def opened(tmp_path):
    """Twelve vaults, opened one after the other; the first is leased."""
    folders = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    settings, _ = load_user_settings(folders, {"embedding.model": "/none"})
    vaults = OpenVaults(settings, folders, watch=False)
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "note.md").write_text("# Note\n")
        (vaults.lease if name == NAMES[0] else vaults.open)(tmp_path / name)
    wait_until(lambda: not any(vault.busy for vault in vaults.open_vaults()))
    yield vaults
    vaults.close()


def names(vaults):
    return [vault.root.name for vault in vaults.open_vaults()]


@pytest.mark.parametrize(
    ("idle_for", "soon", "stays"),
    [
        (900, 60, NAMES),
        (900, -1, [NAMES[0], *NAMES[-8:]]),  # those that were asked last, and what somebody has
        (-1, -1, [NAMES[0]]),
    ],
)
def test_beside_those_asked_last_idle_vaults_are_closed_soon(opened, monkeypatch, idle_for, soon, stays):
    monkeypatch.setattr(room, "_SOON_SECONDS", soon)
    opened.close_idle(idle_for)
    assert names(opened) == stays


def test_no_vault_is_closed_while_all_are_asked(opened):
    with opened.all_kept() as vaults:
        opened.close_idle(-1)
        assert [vault.status().files for vault in vaults] == [1] * len(NAMES)
    opened.close_idle(-1)
    assert names(opened) == [NAMES[0]]
