"""Every feature file is served, and every operation under both its names."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest

import khoj_ls.lsp.features
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.lsp.build import FEATURES, create_server
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.chat_file_messages import CHAT_COMMANDS
from khoj_ls.wire.note_edits import EDIT_OPERATIONS
from khoj_ls.wire.operations import OPERATIONS


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("KHOJ_LS_HOME", str(tmp_path))
    return create_server(OpenVaults(Settings(), folders()))


def test_every_feature_file_is_registered():
    files = {path.stem for path in Path(khoj_ls.lsp.features.__file__).parent.glob("*.py")} - {"__init__"}
    assert {module.__name__.rsplit(".", 1)[-1] for module in FEATURES} == files


def test_every_operation_is_a_request_and_a_command(server):
    served = {name for name in server.protocol.fm.features if name.startswith("khoj/")}
    assert served == {f"khoj/{operation.name}" for operation in (*OPERATIONS, *EDIT_OPERATIONS)}
    commands = {f"khoj.{operation.name}".replace("/", ".") for operation in (*OPERATIONS, *EDIT_OPERATIONS)}
    # What a lens of ours runs where the client has no command of its own for it; and what works on the editor's own texts.
    chat_files = {command.command for command in CHAT_COMMANDS}
    assert set(server.protocol.fm.commands) == {*commands, *chat_files, "khoj.showReferences"}
    # What pygls reads there it may not understand: Any was no class before Python 3.11.
    assert not any(get_type_hints(run) for run in server.protocol.fm.commands.values())


def test_the_protocol_page_names_every_standard_method(server):
    page = Path(khoj_ls.lsp.features.__file__).parents[3].joinpath("docs", "protocol.md").read_text()
    served = {name.rpartition("/")[2] for name in server.protocol.fm.features if not name.startswith("khoj/")}
    # What every server has is told as what it is.
    told = {"initialized", "shutdown", "didOpen", "didChange", "didSave", "didClose", "didChangeWorkspaceFolders", "resolve"}
    assert [name for name in sorted(served - told) if name not in page] == []
