"""Which vault a path belongs to, and that to be asked about a file is no leave to read what lies beside it."""

from __future__ import annotations

import pytest

from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import NoVaultError
from khoj_ls.vaults import OpenVaults

FILES = ("open/sub/a.md", "marked/.khoj.toml", "marked/a.md", "open/marked/.khoj.toml", "open/marked/a.md", "listed/a/b.md",
         "indexed/a/b.md", "downloads/a.md")  # fmt: skip


@pytest.fixture
def vaults(tmp_path):
    """One vault is open, one is listed by the user, one was indexed before."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    folders = Folders(*(tmp_path / "own" / name for name in ("config", "data", "state", "run")))
    settings, _ = load_user_settings(folders, {"embedding.model": "/none", "vaults": [str(tmp_path / "listed")]})
    index = folders.vault(tmp_path / "indexed") / "index.db"
    index.parent.mkdir(parents=True)
    index.touch()
    made = OpenVaults(settings, folders, watch=False)
    made.open(tmp_path / "open", exact=True)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("open/sub/a.md", "open"),
        ("open/not-there.md", "open"),
        ("open/marked/a.md", "open/marked"),
        ("marked/a.md", "marked"),
        ("listed/a/b.md", "listed"),
        ("indexed/a/b.md", "indexed"),
        ("downloads", "downloads"),  # a folder is named on purpose
        ("downloads/a.md", None),
        ("downloads/not-there.md", None),
        ("not-there.md", None),
    ],
)
def test_the_vault_of_a_path_is_one_that_is_known_or_marked(vaults, tmp_path, path, root):
    if root is None:
        with pytest.raises(NoVaultError, match=r"lies in no vault: open its folder, or list it"):
            vaults.open(tmp_path / path)
    else:
        assert vaults.root_of(tmp_path / path) == tmp_path / root
