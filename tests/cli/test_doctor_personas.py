from __future__ import annotations

from pathlib import Path

from khoj_ls.chat.personas.known import USER_FOLDER, VAULT_FOLDER
from khoj_ls.cli.checks.personas import checks
from khoj_ls.config.paths import Folders


def test_what_is_wrong_with_personas_is_told(tmp_path: Path) -> None:
    here = Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))
    vault = tmp_path / "vault"
    for folder, text in ((here.config / USER_FOLDER, 'stile = "concise"'), (vault / VAULT_FOLDER, 'model = "openai/x"')):
        folder.mkdir(parents=True)
        (folder / f"p{len(text)}.toml").write_text(text)
    found = list(checks(here, vault))
    assert [(check.name, check.state) for check in found] == [("personas", "ok"), ("personas", "warn"), ("personas", "warn")]
    assert found[0].message.startswith("4 built in, 2 of files")
    assert "did you mean style?" in found[1].message
    assert "only a persona of your own config folder may set this" in found[2].message
