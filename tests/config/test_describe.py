from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.config import toml
from khoj_ls.config.describe import default_toml, documents, json_schema, main
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.options import options
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(documents()))
def test_the_checked_in_copy_is_what_the_tree_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == documents()[name], "run: python -m khoj_ls.config.describe --write docs"


def test_write_makes_all_of_them(tmp_path: Path) -> None:
    main(["--write", str(tmp_path)])
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == documents()


def test_the_default_toml_holds_every_setting_and_means_the_defaults(tmp_path: Path) -> None:
    folders = Folders(tmp_path, tmp_path, tmp_path, tmp_path)
    folders.user_settings.write_text(default_toml())
    user, problems = load_user_settings(folders)
    assert problems == []
    assert [getattr(user, name) for name in vars(Settings())] == list(vars(Settings()).values())
    assert set(flat(toml.loads(default_toml()))) == set(options())


def test_the_schema_knows_every_setting_with_its_default_and_scope() -> None:
    found = {
        key: (entry["x-scope"], tuple(entry["default"]) if isinstance(entry["default"], list) else entry["default"])
        for key, entry in leaves(json_schema()["properties"])
    }
    assert found == {key: (option.scope, option.default) for key, option in options().items()}
    assert {key for key, _ in leaves(json_schema()["$defs"]["vault"]["properties"])} == {
        key for key, option in options().items() if option.scope != "user"
    }
    json.dumps(json_schema(), allow_nan=False)


@pytest.mark.parametrize("option", options().values(), ids=lambda option: option.key)
def test_every_setting_says_what_it_does(option: Any) -> None:
    assert option.doc.endswith(".")
    assert f"`{option.key}`" in documents()["configuration.md"]


def flat(tables: dict[str, Any], prefix: str = "") -> list[str]:
    return [
        key
        for name, value in tables.items()
        for key in (flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"])
    ]


def leaves(properties: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    return [
        leaf
        for name, entry in properties.items()
        for leaf in (
            [(f"{prefix}{name}", entry)] if "x-scope" in entry else leaves(entry.get("properties", {}), f"{prefix}{name}.")
        )
    ]
