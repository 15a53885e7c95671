from __future__ import annotations

from pathlib import Path

import pytest

from khoj_ls.config.edit import edit
from khoj_ls.core.errors import SettingsError

COMMENTED = """\
# my settings
vaults = ["~/notes"]

[search]
# few are enough
limit = 5  # really

[vault."/n"]
search.limit = 3
"""


@pytest.mark.parametrize(
    ("before", "keys", "value", "after"),
    [
        ("", ["search", "limit"], 5, "[search]\nlimit = 5\n"),
        ("", ["vaults"], ("~/a", "~/b"), 'vaults = ["~/a", "~/b"]\n'),
        ("", ["vault", "/my notes", "search", "limit"], 5, '[vault."/my notes".search]\nlimit = 5\n'),
        (COMMENTED, ["search", "limit"], 20, COMMENTED.replace("limit = 5", "limit = 20")),
        (COMMENTED, ["vaults"], None, COMMENTED.replace('vaults = ["~/notes"]\n', "")),
        (COMMENTED, ["vault", "/n", "search", "limit"], 4, COMMENTED.replace("limit = 3", "limit = 4")),
        (COMMENTED, ["search", "mode"], None, COMMENTED),
        (COMMENTED, ["index", "hidden"], None, COMMENTED),
        ("search.limit = 5\n", ["search", "limit"], 6, "search.limit = 6\n"),
        ("search = { limit = 5 }\n", ["search", "limit"], 6, "search = { limit = 6 }\n"),
    ],
)
def test_one_value_changes_and_the_rest_stays(tmp_path: Path, before: str, keys: list[str], value: object, after: str) -> None:
    path = tmp_path / "sub" / "config.toml"
    if before:
        path.parent.mkdir()
        path.write_text(before)
    edit(path, keys, value)
    assert path.read_text() == after
    assert [item.name for item in path.parent.iterdir()] == ["config.toml"], "no temporary file is left"


@pytest.mark.parametrize("broken", ["[search\n", "search = 3\n", "\udcff"])
def test_a_file_that_cannot_be_understood_is_left_as_it_is(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "config.toml"
    content = broken.encode("utf-8", "surrogateescape")
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"config\.toml cannot be changed .*: correct it by hand"):
        edit(path, ["search", "limit"], 5)
    assert path.read_bytes() == content


def test_a_symlink_of_a_dotfiles_manager_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    real.write_text("")
    real.chmod(0o644)
    link.symlink_to(real)
    edit(link, ["search", "limit"], 5)
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("[search]\nlimit = 5\n", 0o644)
