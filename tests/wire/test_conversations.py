"""khoj/conversations over one vault and over two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from khoj_ls.chat.kept.conversations import KeptConversations
from khoj_ls.chat.types import Citation, Done, Failed, Source
from khoj_ls.config.settings import Settings
from khoj_ls.core.chat import Usage
from khoj_ls.core.errors import UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.wire.conversation_messages import ConversationsParams
from khoj_ls.wire.conversations import conversations
from khoj_ls.wire.session import Job, Session

JOB = Job(CancelToken(), lambda progress: None)
NOTE = Source(1, "a b.md", "A", ("A", "B"), 3, 5, "text", 0.5)


@dataclass
class Notes:
    """A vault that has conversations."""

    root: Path
    conversations: KeptConversations


@dataclass
class Vaults:
    """Two vaults."""

    known: dict[Path, Notes]
    settings: Settings

    def open(self, path, *, exact=False):
        return self.known[path]


@pytest.fixture
def vaults(tmp_path):
    made = {}
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        made[tmp_path / name] = Notes(tmp_path / name, KeptConversations(tmp_path / name))
    yield made
    for vault in made.values():
        vault.conversations.close()


@pytest.fixture
def do(vaults):
    settings = Settings()
    session = Session(Vaults(vaults, settings), settings, list(vaults))

    def run(action="list", **params):
        result = conversations(session, ConversationsParams(action, **params), JOB)
        return msgspec.json.decode(msgspec.json.encode(result))

    return run


def ask(vault, question, answer, conversation=None, replaces=None):
    kept = vault.conversations
    key, turn = kept.begin(conversation, question, persona="writer", model="m/x", replaces=replaces)
    kept.given(turn, [NOTE])
    kept.finish(turn, answer)
    return key, turn


def done(text):
    return Done(text, (Citation(1, NOTE.path, NOTE.outline, 4, 4, "quote", 0, 3),), ("[7]",), (), Usage(3, 4), 0.1, "m/y")


def test_turns_are_told_as_a_file_of_a_format_shows_them(do, vaults):
    here, _ = vaults.values()
    key, _ = ask(here, "what router", done("[1] it is *so*"))
    ask(here, "what else", Failed("no network: wait", "khoj.model.unreachable", "*half*"), conversation=key)
    assert [(turn["shown"], turn["below"]) for turn in do("get", conversation=key)["turns"]] == [(None, None)] * 2
    good, bad = do("get", conversation=key, format="org")["turns"]
    assert good["shown"] == f"[[file:{here.root}/a b.md::4][1]] it is /so/"
    assert f"- 1: [[file:{here.root}/a b.md::3][A › B]]" in good["below"].splitlines()
    assert (bad["shown"], bad["below"]) == ("/half/", None)


def test_all_there_is_of_one(do, vaults):
    here, there = vaults.values()
    key, first = ask(here, "what router", done("[1] it is"))
    _, second = ask(here, "what else", Failed("no network: wait", "khoj.model.unreachable", "half"), conversation=key)
    _, again = ask(here, "what other", done("[1] that"), replaces=second)
    ask(there, "bread", done("[1] rises"))

    found = do()
    assert [(each["title"], each["turns"], each["vault"]) for each in found["conversations"]] == [
        ("bread", 1, str(there.root)),
        ("what router", 2, str(here.root)),
    ]
    assert (found["total"], found["turns"], found["messages"]) == (2, [], [])
    assert [each["title"] for each in do(limit=1, offset=1)["conversations"]] == ["what router"]
    assert [each["title"] for each in do(vault=str(there.root))["conversations"]] == ["bread"]

    got = do("get", conversation=key[:10])
    info = got["conversation"]
    assert (info["id"], info["title"], info["persona"]) == (key, "what router", "writer")
    assert info["created"] <= info["updated"] and info["updated"].endswith("+00:00")
    assert [(turn["id"], turn["state"], turn["replaces"]) for turn in got["turns"]] == [
        (first, "done", None),
        (again, "done", second),
    ]
    turn = got["turns"][0]
    assert turn["citations"][0]["uri"] == (here.root / "a b.md").as_uri()
    assert turn["citations"][0]["range"]["start"]["line"] == 3
    assert turn["sources"][0]["range"] == {"start": {"line": 2, "character": 0}, "end": {"line": 5, "character": 0}}
    assert (turn["removed"], turn["usage"]["output_tokens"], turn["cost"], turn["model"]) == (["[7]"], 4, 0.1, "m/y")
    [aside] = got["superseded"]
    assert (aside["id"], aside["superseded_by"], aside["answer"]) == (second, again, "half")
    assert (aside["message"], aside["code"]) == ("no network: wait", "khoj.model.unreachable")

    assert do("rename", conversation=key, title="Routers")["conversation"]["title"] == "Routers"
    hits = do("search", query="router")["hits"]
    assert [(hit["conversation"], hit["title"], hit["turn"], hit["vault"]) for hit in hits] == [
        (key, "Routers", first, str(here.root))
    ]
    assert do("search", query="router rises", limit=1)["degraded"] is True
    assert do("search", query="router rises", limit=1)["reason"].startswith("there is no embedding model")
    assert len(do("search", query="router rises", limit=1)["hits"]) == 1

    assert do("export", conversation=key)["text"].startswith("# Routers\n")
    assert do("export", conversation=key, format="org")["text"].startswith("#+title: Routers\n")
    assert do("delete", conversation=key)["conversation"]["id"] == key
    assert [each["title"] for each in do()["conversations"]] == ["bread"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"action": "get"}, "khoj/conversations with the action get wants `conversation`"),
        ({"action": "rename", "conversation": "x"}, "khoj/conversations with the action rename wants `title`"),
        ({"action": "delete", "conversation": " "}, "khoj/conversations with the action delete wants `conversation`"),
        ({"action": "export"}, "khoj/conversations with the action export wants `conversation`"),
        ({"action": "search"}, "khoj/conversations with the action search wants `query`"),
        ({"action": "get", "conversation": "nobody"}, "there is no conversation nobody: `khoj-ls conversations list` tells"),
        ({"limit": 0}, "limit is 0; it must be between 1 and 100"),
        ({"offset": -1}, "offset is -1; it must not be below 0"),
    ],
)
def test_what_is_missing_is_said(do, params, message):
    with pytest.raises(UsageError) as told:
        do(**params)
    assert str(told.value).startswith(message)


def test_ids_that_begin_alike_in_two_vaults(do, vaults):
    ids = [ask(vault, "q", done("a"))[0] for vault in vaults.values() for _ in range(17)]
    alike = next(each[0] for each in ids if sum(other[0] == each[0] for other in ids) > 1)
    with pytest.raises(UsageError, match=f"several conversations begin with {alike}"):
        do("get", conversation=alike)
    assert do("get", conversation=ids[0])["conversation"]["id"] == ids[0]


def test_what_happened_to_them_is_told(do, vaults):
    here = next(iter(vaults.values()))
    (here.root / "conversations.db").write_bytes(b"rubbish " * 1000)
    [message] = do()["messages"]
    assert message.startswith("the saved conversations were damaged: 0 turns of 0 conversations could be saved")
