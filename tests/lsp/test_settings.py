"""What an editor sets stands on top of what each vault says, in whatever is asked about that vault."""

from __future__ import annotations

import pytest
from lsp_driver import encoding_of
from lsprotocol import types
from pytest_lsp import client_capabilities
from session_driver import Session

from khoj_ls.lsp.diagnosing import Reporter
from khoj_ls.lsp.features import configuration

OWN = """
[search]
profile = "theirs"
[search.profiles.theirs]
max_per_file = 4
[lens]
note = false
headings = true
[diagnostics]
broken_link = "hint"
"""


@pytest.fixture
def session(tmp_path, home, monkeypatch):
    root = tmp_path / "notes"
    root.mkdir()
    (root / ".khoj.toml").write_text(OWN)
    (root / "a.md").write_text("# A\n\n## B\n\n[[#B]] [[none]]\n")
    session = Session(root)
    session.index()
    session.open("a.md")
    session.told = []
    monkeypatch.setattr(session.server, "window_show_message", lambda params: session.told.append(params.message))
    yield session
    session.close()


def apply(session, values, **more):
    async def run():  # on the connection's loop, where settings arrive
        configuration.apply(session.server, values, **more)

    session.loop.run_until_complete(run())


def lenses(session) -> list[int]:
    document = types.TextDocumentIdentifier(uri=(session.root / "a.md").as_uri())
    found = session.ask(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(text_document=document))
    return [lens.range.start.line for lens in found or []]


HINT, ERROR = types.DiagnosticSeverity.Hint, types.DiagnosticSeverity.Error


@pytest.mark.parametrize(
    ("sent", "profile", "limit", "shown", "severity", "told"),
    [
        ({}, "theirs", 10, [2], HINT, []),
        ({"search": {"limit": 3}}, "theirs", 3, [2], HINT, []),
        ({"search": {"profile": "theirs"}}, "theirs", 10, [2], HINT, []),
        ({"lens": {"headings": False}}, "theirs", 10, [], HINT, []),
        ({"diagnostics": {"broken_link": "error"}}, "theirs", 10, [2], ERROR, []),
        (
            {"search": {"profile": "typo"}}, "typo", 10, [2], HINT,
            ["khoj-ls: editor: search.profile: there is no profile 'typo' (known: default, precise, broad, recent_focused, "
             "theirs); default is used"],
        ),
    ],
)  # fmt: skip
def test_layers(session, sent, profile, limit, shown, severity, told):
    apply(session, sent)
    settings = session.server.session.settings_of(session.vault)
    assert (settings.search.profile, settings.search.limit) == (profile, limit)
    assert settings.search.profiles["theirs"] == {"max_per_file": 4}
    assert lenses(session) == shown
    assert Reporter(session.server, session.vault).severities["broken-link"] == severity
    assert session.told == told
    # What is set again takes the place of all that was set before.
    apply(session, {})
    assert session.server.session.settings_of(session.vault) == session.vault.settings


def test_before_any_folder_is_open_its_profiles_are_not_asked_for(session):
    apply(session, {"search": {"profile": "theirs"}, "embedding": {"model": "x"}}, look=False)
    assert [message.partition(": an editor")[0] for message in session.told] == ["khoj-ls: editor: embedding.model"]


@pytest.mark.parametrize(
    ("announced", "configured", "agreed"),
    [
        (None, None, "utf-16"),
        (None, "utf-8", "utf-8"),
        (["utf-32"], "utf-8", "utf-32"),
        (None, "bytes", "utf-16"),
    ],
)
@pytest.mark.asyncio
async def test_a_client_that_does_not_say_how_it_counts_is_configured_to(bare_client, announced, configured, agreed):
    capabilities = client_capabilities("neovim")
    capabilities.general = types.GeneralClientCapabilities(position_encodings=announced)
    options = {"search": {"limit": 3}} | ({"positionEncoding": configured} if configured else {})
    bare_client.advertised = (
        await bare_client.initialize_session(types.InitializeParams(capabilities=capabilities, initialization_options=options))
    ).capabilities
    assert encoding_of(bare_client) == agreed
    assert bare_client.messages == []
