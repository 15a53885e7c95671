"""The daemon as it is put together: what a session does reaches the user's webhooks."""

from __future__ import annotations

import json
import os

import pytest
from waiting import wait_until

from khoj_ls.config.load import load_user_settings
from khoj_ls.core.jobs import CancelToken
from khoj_ls.daemon.admission import Hello
from khoj_ls.daemon.compose import compose


@pytest.fixture
def serving(own_folders, receiver):
    own_folders.user_settings.write_text(
        '[embedding]\nmodel = "/none"\n'
        f'[[webhooks]]\nurl = "{receiver.url}"\nsecret_variable = "KHOJ_LS_SESSION_KEY"\n'
        'events = ["index.completed", "search.performed"]\nallow_private = ["127.0.0.1"]\n'
    )
    settings, problems = load_user_settings(own_folders)
    assert problems == []
    found = compose(settings, own_folders)
    yield found
    found.close()


def test_a_search_is_told_with_a_key_of_the_session(serving, receiver, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "boat.md").write_text("# The boat\nThe albatross lies in the harbour.\n")
    session = Hello("rpc", "1", os.getpid(), {"KHOJ_LS_SESSION_KEY": "from the environment"})
    handle = serving.rpc(session, dict)
    params = {"vault": str(notes), "query": "harbour"}

    def searched():
        found = handle("khoj/search", params, CancelToken(), lambda progress: None, lambda turn: None)
        return found.hits

    wait_until(searched)
    both = {"search.performed", "index.completed"}
    wait_until(lambda: {each.headers["X-Khoj-Event"] for each in receiver.received} == both)
    told = [json.loads(each.body) for each in receiver.received]
    assert any(each["event"] == "index.completed" and each["data"]["notes"] == ["boat.md"] for each in told)
    assert {each["vault"] for each in told} == {"notes"}
    wait_until(lambda: not serving.busy())
