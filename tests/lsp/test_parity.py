"""What is advertised is served, and what is served is advertised."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder

import khoj_ls.lsp.features
from khoj_ls.config.paths import folders
from khoj_ls.config.settings import Settings
from khoj_ls.lsp.build import FEATURES, create_server
from khoj_ls.vaults import OpenVaults
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
    assert set(server.protocol.fm.commands) == {f"khoj.{operation.name}" for operation in (*OPERATIONS, *EDIT_OPERATIONS)}


def test_every_advertised_provider_has_a_handler(server):
    manager = server.protocol.fm
    capabilities = ServerCapabilitiesBuilder(
        types.ClientCapabilities(), set({**manager.features, **manager.builtin_features}), manager.feature_options,
        list(manager.commands), types.TextDocumentSyncKind.Incremental, None, "utf-16",
    ).build()  # fmt: skip
    advertised = {
        name for name, value in attrs.asdict(capabilities, recurse=False).items() if name.endswith("_provider") and value
    }
    assert advertised == {"document_symbol_provider", "workspace_symbol_provider", "execute_command_provider"}
