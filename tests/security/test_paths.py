"""A vault that was cloned from anywhere leads no edit, no template and no picture out of itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from session_driver import Session

from khoj_ls.config.settings import EmbeddingSettings, Settings
from khoj_ls.core.errors import UsageError
from khoj_ls.core.inside import stays_inside
from khoj_ls.wire.note_messages import CaptureParams, DailyParams

SECRET = "what only the user may read"
DEEP = "../" * 12


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault beside a file that is none of its business, with links that lead there."""
    base = tmp_path_factory.mktemp("paths").resolve()
    (base / "secret.md").write_text(SECRET)
    (base / "out").mkdir()
    folder = base / "notes"
    (folder / ".obsidian").mkdir(parents=True)
    (folder / "away").symlink_to(base / "out")
    (folder / "leak.md").symlink_to(base / "secret.md")
    (folder / "start.md").write_text("# Start\n\n[[../out/new]] [[away/new]] [[leak]] ![](../secret.md) #tag\n\n[[note]]\n")
    (folder / "note.md").write_text("# note\n")
    (folder / "template.md").write_text("mine\n")
    return folder


@pytest.mark.parametrize(
    ("path", "stays"),
    [
        ("a.md", True), ("new/deep/a.md", True), ("new/../a.md", True), ("away-not/a.md", True), ("..a/b.md", True),
        ("../a.md", False), ("new/../../a.md", False), ("..", False), ("/etc/passwd", False), ("away/a.md", False),
        ("away/new/a.md", False), ("leak.md", False), (f"{DEEP}etc/passwd", False), ("a\0.md", False),
        ("../notes/a.md", False),
    ],
)  # fmt: skip
def test_what_stays_inside(root: Path, path: str, stays: bool) -> None:
    assert stays_inside(root, path) is stays


@pytest.fixture(scope="module")
def editor(root: Path) -> Iterator[Session]:
    """An editor on it; where it is sent an edit, that is the answer itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHOJ_LS_HOME", str(root.parent / "home"))
        editor = Session(root, settings=replace(Settings(), embedding=EmbeddingSettings(model="/none")))
        editor.index()
        editor.server.protocol.client_capabilities.workspace.apply_edit = False
        yield editor
        editor.close()


@pytest.fixture
def session(editor: Session, root: Path) -> Callable[..., Session]:
    """The editor, on the vault with these settings of Obsidian's."""

    def begin(**settings: object) -> Session:
        for path in (root / ".obsidian").iterdir():
            path.unlink()
        for name, content in settings.items():
            (root / ".obsidian" / f"{name.replace('_', '-')}.json").write_text(json.dumps(content))
        return editor

    return begin


FOLDERS = ["../out", f"{DEEP}tmp", "away", "new/../../out"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_new_notes_stay_in_the_vault_wherever_its_settings_put_them(session, root: Path, folder: str) -> None:
    asked = session(app={"newFileLocation": "folder", "newFileFolderPath": folder})
    with pytest.raises((UsageError, JsonRpcException), match=r"outside of the vault|is not in the vault"):
        asked.ask("khoj/capture", CaptureParams(title="Plum", text="x"))
    assert sorted(path.name for path in (root.parent / "out").iterdir()) == []


@pytest.mark.parametrize("daily", [{"folder": folder} for folder in FOLDERS] + [{"format": "[../../out/]YYYY"}])
def test_daily_notes_too(session, daily: dict[str, str]) -> None:
    with pytest.raises((UsageError, JsonRpcException), match=r"outside of the vault|is not in the vault"):
        session(daily_notes=daily).ask("khoj/daily", DailyParams())


def test_a_note_in_the_vault_is_made(session) -> None:
    result = session(app={"newFileLocation": "folder", "newFileFolderPath": "in/deep"}).ask(
        "khoj/capture", CaptureParams("Plum")
    )
    assert result["uri"].endswith("/notes/in/deep/Plum.md")


@pytest.mark.parametrize("template", ["../secret", "../secret.md", "leak", "leak.md", "away/../../secret.md"])
def test_no_template_is_read_from_elsewhere(session, template: str) -> None:
    result = session(daily_notes={"template": template}).ask("khoj/daily", DailyParams())
    assert result["edit"] and SECRET not in json.dumps(result["edit"])


def test_a_template_in_the_vault_is_read(session) -> None:
    result = session(daily_notes={"template": "template"}).ask("khoj/daily", DailyParams())
    assert "mine" in json.dumps(result["edit"])


@pytest.mark.parametrize("name", ["../out/x", "/tmp/x", "away/x", "..\\out\\x"])
def test_no_rename_moves_a_note_out(session, root: Path, name: str) -> None:
    asked = session()
    asked.open("start.md")
    with pytest.raises((UsageError, JsonRpcException)):
        asked.at(types.TEXT_DOCUMENT_RENAME, types.RenameParams, "start.md", 4, 3, new_name=name)


def test_quick_fixes_make_no_note_elsewhere(session) -> None:
    asked = session()
    uri = asked.open("start.md")
    for character in (3, 20, 36, 48):
        at = types.Position(line=2, character=character)
        found = asked.ask(
            types.TEXT_DOCUMENT_CODE_ACTION,
            types.CodeActionParams(
                text_document=types.TextDocumentIdentifier(uri=uri),
                range=types.Range(start=at, end=at),
                context=types.CodeActionContext(diagnostics=[]),
            ),
        )
        made = [change for action in found if action.edit for change in action.edit.document_changes or ()]
        assert not [each.uri for each in made if isinstance(each, types.CreateFile)]


@pytest.mark.parametrize("character", [3, 20, 36, 48])
def test_hovers_and_definitions_show_nothing_from_elsewhere(session, character: int) -> None:
    asked = session()
    asked.open("start.md")
    hover = asked.at(types.TEXT_DOCUMENT_HOVER, types.HoverParams, "start.md", 2, character)
    assert SECRET not in repr(hover)
    found = asked.at(types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams, "start.md", 2, character)
    assert "secret.md" not in repr(found) and "/out/" not in repr(found)


@pytest.mark.parametrize("path", ["../secret.md", "new/../../secret.md", "../notes-2/a.md"])
def test_dots_in_an_absolute_path_lead_out(session, root: Path, path: str) -> None:
    vault = session().vault
    assert not vault.holds(root / path)
    with pytest.raises(UsageError, match="is not in the vault"):
        vault.relative(root / path)
    assert vault.why(root / path).code == "outside"
