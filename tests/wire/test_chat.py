"""Chats of one session over a real vault, with services played on loopback."""

from __future__ import annotations

import base64
import threading
from contextlib import closing

import msgspec
import pytest
from chat_server import ChatServer, Reply
from waiting import wait_until

from khoj_ls.config.load import load_user_settings, session_values
from khoj_ls.config.paths import Folders
from khoj_ls.core.chat import Delta, Finished, ModelCard, Usage
from khoj_ls.core.errors import Cancelled, ConsentNeeded, KhojError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire.chat import MOST_TURNS, allow_host, ask, cancel, chat, stream
from khoj_ls.wire.chat_messages import AllowHostParams, ChatCancelParams, ChatContext, ChatParams
from khoj_ls.wire.chat_request import chat_request, chat_vault
from khoj_ls.wire.messages import Position, Range, StatusParams, TextDocument
from khoj_ls.wire.operations import OPERATIONS, Job, Session, choices, status
from khoj_ls.wire.suggest import text_on_disk
from khoj_ls.wire.tuning_messages import ChoicesParams

NOTES = {
    "router.md": "# Router\n\n## Fix\n\nMoved it to channel 36 and rolled the firmware back.\n",
    "tea/assam.md": "---\ntags: [tea]\n---\n# Assam\n\nSteep for four minutes.\n",
}
PNG = b"\x89PNG\r\n\x1a\nrest"
QUESTION = "which channel is the router on?"
HOST = "https://chat.example"


@pytest.fixture
def folders(tmp_path, prepared_models):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(prepared_models)
    return Folders(*(tmp_path / name for name in ("config", "data", "state", "run")))


@pytest.fixture
def root(tmp_path):
    for name, text in NOTES.items():
        path = tmp_path / "notes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "notes" / ".khoj.toml").touch()
    (tmp_path / "notes" / "cat.png").write_bytes(PNG)
    return tmp_path / "notes"


@pytest.fixture
def session(folders, root):
    # Words are enough here: no embedding model is prepared for them.
    settings, _ = load_user_settings(folders, {"embedding.model": "/none"})
    vaults = OpenVaults(settings, folders, watch=False)
    vault = vaults.open(root)
    wait_until(lambda: not vault.reading)
    yield Session(vaults, roots=[root])
    vaults.close()


@pytest.fixture
def server():
    """A service whose answers hold back until they are let."""
    with ChatServer([Reply(["It is ", "channel 36 [1]."])]) as server:
        yield server


def asked_at(server, message=QUESTION, **more):
    return ChatParams(message, model="openai/gpt-4o-mini", baseUrl=server.url, **more)


def first_piece(events):
    """Take events up to the first piece of the answer."""
    return next(event for event in events if event.kind == "delta")


def kinds(events):
    return [event.kind for event in events]


# -- streamed ---------------------------------------------------------------------------------------------------------


def test_a_turn_is_streamed_from_its_sources_to_its_end(session, server, root):
    events = list(stream(session, asked_at(server)))
    assert (kinds(events)[0], kinds(events)[-1], kinds(events).count("done")) == ("sources", "done", 1)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    done = events[-1]
    assert done.text == "It is channel 36 [1]." == "".join(each.text for each in events if each.kind == "delta")
    (citation,) = done.citations
    assert citation.uri == (root / "router.md").as_uri()
    assert (citation.range.start.line, citation.quote) == (4, "Moved it to channel 36 and rolled the firmware back.")
    assert done.text[citation.start : citation.end].strip() == "[1]"
    assert (done.usage.input_tokens, done.model) == (11, "openai/gpt-4o-mini")
    assert session.turns == {}
    kept = session.vaults.open(root).conversations.get(done.conversation)
    assert [(turn.question, turn.answer) for turn in kept.turns] == [(QUESTION, done.text)]


@pytest.mark.parametrize(
    ("format", "shown", "source"),
    [
        (None, None, None),
        ("markdown", "It is channel 36 [1]({uri}#L5).", "- 1: [Router › Fix]({uri}#L3)"),
        ("org", "It is channel 36 [[file:{path}::5][1]].", "- 1: [[file:{path}::3][Router › Fix]]"),
    ],
)
def test_the_answer_is_told_as_a_file_of_a_format_shows_it_where_that_is_asked(session, server, root, format, shown, source):
    file = root / "router.md"
    for end in (
        list(stream(session, asked_at(server, format=format)))[-1],
        ask(session, asked_at(server, format=format), Job(CancelToken(), lambda progress: None)),
    ):
        assert end.shown == (shown and shown.format(uri=file.as_uri(), path=file))
        assert (end.below and source.format(uri=file.as_uri(), path=file) in end.below.splitlines()) or end.below is source


def test_with_no_model_the_answer_is_the_passages(session):
    *_, done = stream(session, ChatParams(QUESTION))
    assert "> Moved it to channel 36" in done.text
    assert (done.kind, done.model, done.usage) == ("done", "", None)


def test_every_event_is_json(session, server):
    for event in stream(session, asked_at(server)):
        assert msgspec.json.decode(msgspec.json.encode(event))["kind"] == event.kind


def test_chat_hands_the_turn_over_and_needs_somebody_who_takes_it(session, server):
    handed = []
    started = chat(session, asked_at(server), Job(CancelToken(), print, handed.append))
    (turn,) = handed
    assert turn.started == started
    events = [turn.take(10)]
    while events[-1].kind != "done":
        events.append(turn.take(10))
    assert events[-1].turn == started.turn
    with pytest.raises(UsageError, match="khoj/ask"):
        chat(session, asked_at(server), Job(CancelToken(), print))


def test_a_cancelled_turn_fails_with_what_arrived_and_leaves_the_service(session):
    with ChatServer([Reply(["It ", "is "], silent_after=2)]) as server:
        events = stream(session, asked_at(server))
        piece = next(event for event in events if event.kind == "delta" and "is" in event.text)
        assert cancel(session, ChatCancelParams(piece.turn), None).cancelled is True
        # Once: what was held back of "is " may still come as a piece, when the turn has left the session.
        *_, last = events
        assert server.gone.acquire(timeout=10)
    assert (last.kind, last.code, last.text.split()) == ("failed", "khoj.cancelled", ["It", "is"])
    assert cancel(session, ChatCancelParams(last.turn), None).cancelled is False


def test_closing_the_stream_and_the_session_calls_off(session):
    with ChatServer([Reply(silent_after=1)]) as server:
        with closing(stream(session, asked_at(server))) as events:
            first_piece(events)
        assert server.gone.acquire(timeout=10)
        running = [stream(session, asked_at(server)) for _ in range(2)]
        for events in running:
            first_piece(events)
        session.close()
        assert {kinds(list(events))[-1] for events in running} == {"failed"}
        wait_until(lambda: session.turns == {})


def test_ctrl_c_yields_the_end(session):
    with ChatServer([Reply(["It "], silent_after=1)]) as server:
        events, seen = stream(session, asked_at(server)), []
        for event in events:
            seen.append(event)
            if event.kind == "delta":
                break
        seen.append(events.throw(KeyboardInterrupt))
        seen += events
        assert (seen[-1].kind, seen[-1].code, seen[-1].text.strip()) == ("failed", "khoj.cancelled", "It")


def test_two_chats_at_once_do_not_wait_for_each_other(session):
    gate = threading.Event()
    with ChatServer([Reply(["slow"], gate=gate), Reply(["quick"])]) as server:
        slow = stream(session, asked_at(server))
        assert next(slow).kind == "sources"
        wait_until(lambda: len(server.requests) == 1)
        assert list(stream(session, asked_at(server)))[-1].text == "quick"
        gate.set()
        assert list(slow)[-1].text == "slow"


def test_a_conversation_is_answered_one_turn_at_a_time(session, root):
    gate = threading.Event()
    with ChatServer([Reply(["It is so."], gate=gate), Reply(["Yes."])]) as server:
        first = stream(session, asked_at(server))
        begun = next(first)
        other = Session(session.vaults, roots=[root])
        again = [{"conversation": begun.conversation}, {"conversation": begun.conversation[:6]}, {"replaces": begun.turn}]
        for params in again:
            with pytest.raises(UsageError, match="is being answered"):
                next(stream(other, asked_at(server, **params)))
        gate.set()
        assert kinds(list(first))[-1] == "done"
        *_, done = stream(other, asked_at(server, "and then?", conversation=begun.conversation))
        assert (done.kind, done.conversation) == ("done", begun.conversation)
        kept = session.vaults.open(root).conversations.get(begun.conversation)
        assert [turn.question for turn in kept.turns] == [QUESTION, "and then?"]


def test_a_question_waits_for_the_end_of_a_turn_that_was_called_off(session, root, server):
    vault = session.vaults.open(root)
    request = chat_request(session, vault, asked_at(server))
    started, token = vault.chat_begin(request), CancelToken()
    events = vault.chat(request, started, token)
    assert next(events).sources
    again = chat_request(session, vault, asked_at(server, conversation=started.conversation))
    with pytest.raises(UsageError, match="is being answered"):
        vault.chat_begin(again)
    token.cancel()  # as when its editor died, which asks anew
    begun = []
    asker = threading.Thread(target=lambda: begun.append(vault.chat_begin(again)))
    asker.start()
    wait_until(lambda: vault._chatting._lock._waiters)
    assert not begun
    *_, failed = events
    asker.join(60)
    assert (failed.code, [each.conversation for each in begun]) == ("khoj.cancelled", [started.conversation])


def test_a_session_has_so_many_turns_at_once(session):
    session.turns = {str(number): None for number in range(MOST_TURNS)}
    with pytest.raises(UsageError, match="already"):
        next(stream(session, ChatParams(QUESTION)))
    session.turns = {}


def test_a_turn_keeps_its_vault_open(session, root):
    with ChatServer([Reply(silent_after=1)]) as server, closing(stream(session, asked_at(server))) as events:
        next(events)
        session.vaults.close_idle(0)
        assert [vault.root for vault in session.vaults.open_vaults()] == [root]
    wait_until(lambda: session.turns == {})
    vault = session.vaults.open(root)
    wait_until(lambda: not vault.busy or vault.status().phase == "model")
    assert session.vaults._leases[root] == 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (ChatParams(""), "empty"),
        (ChatParams("/nothing here"), "no command /nothing"),
        (ChatParams("q", persona="nobody"), "nobody"),
        (ChatParams("q", conversation="none"), "no conversation none"),
        (ChatParams("q", replaces="none"), "no turn none"),
        (ChatParams("q", profile="none"), "none"),
        (ChatParams("q", context=[ChatContext("tag")]), "a tag wants a name"),
        (ChatParams("q", context=[ChatContext("note")]), "a note wants a textDocument"),
        (ChatParams("q", context=[ChatContext("selection", name="router.md")]), "a selection wants a textDocument"),
        (ChatParams("q", images=["/etc/passwd"]), "not in the vault"),
        (ChatParams("q", images=["router.md"]), "no picture"),
        (ChatParams("q", images=["../x.png"]), "is not in the vault"),
        (ChatParams("q", images=["data:image/png;base64,???"]), "base64"),
    ],
)
def test_what_is_wrong_with_a_turn_is_told_at_once(session, params, message):
    with pytest.raises(KhojError, match=message):
        next(stream(session, params))
    assert session.turns == {}
    assert set(session.vaults._leases.values()) <= {0}


# -- what the engine is asked -------------------------------------------------------------------------------------------


def request_of(session, **params):
    given = ChatParams(params.pop("message", "q"), **params)
    return chat_request(session, chat_vault(session, given), given)


def test_context_is_named_within_the_vault(session, root):
    document = TextDocument((root / "router.md").as_uri())
    folder = TextDocument((root / "tea").as_uri())
    context = [ChatContext("note", document), ChatContext("folder", folder), ChatContext("tag", name="#tea")]
    found = request_of(session, context=[*context, ChatContext("note", name="tea/assam.md")]).context
    assert [(item.kind, item.name, item.text) for item in found] == [
        ("note", "router.md", None),
        ("folder", "tea", None),
        ("tag", "tea", None),
        ("note", "tea/assam.md", None),
    ]


@pytest.mark.parametrize(
    ("start", "end", "text", "lines"),
    [
        ((4, 12), (4, 22), "channel 36", (5, 5)),
        ((4, 22), (4, 12), "channel 36", (5, 5)),
        ((0, 0), (1, 0), "# Router\n", (1, 1)),
        ((2, 0), (5, 0), "## Fix\n\nMoved it to channel 36 and rolled the firmware back.\n", (3, 5)),
        ((4, 0), (99, 0), "Moved it to channel 36 and rolled the firmware back.\n", (5, 5)),
    ],
)
def test_a_selection_is_what_stands_there(session, root, start, end, text, lines):
    document = TextDocument((root / "router.md").as_uri())
    given = ChatContext("selection", document, Range(Position(*start), Position(*end)))
    (item,) = request_of(session, context=[given]).context
    assert (item.text, (item.line, item.end_line), item.name) == (text, lines, "router.md")


def test_a_selection_is_taken_from_what_the_session_shows(session, root):
    (root / "other.md").write_text("🎈 unsaved words\n")
    shown = text_on_disk(root / "other.md")
    session.open_text = lambda uri: shown
    given = ChatContext("selection", TextDocument((root / "router.md").as_uri()), Range(Position(0, 3), Position(0, 10)))
    assert request_of(session, context=[given]).context[0].text == "unsaved"
    blank = ChatContext("selection", TextDocument((root / "router.md").as_uri()), Range(Position(0, 2), Position(0, 3)))
    with pytest.raises(UsageError, match="blanks"):
        request_of(session, context=[blank])


@pytest.mark.parametrize(
    ("message", "context"),
    [("/summarize", ["router.md"]), ("/links", ["router.md"]), ("/notes what", []), ("what", []), ("/general hi", [])],
)
def test_commands_about_a_note_are_about_the_one_the_user_is_in(session, root, message, context):
    document = TextDocument((root / "router.md").as_uri())
    assert [item.name for item in request_of(session, message=message, textDocument=document).context] == context


def test_pictures_come_from_the_vault_or_with_the_request(session, root):
    (root / ".khojprivate").write_text("/secret/\n")
    (root / "secret").mkdir()
    (root / "secret" / "x.png").write_bytes(PNG)
    data = "data:image/png;base64," + base64.b64encode(PNG).decode()
    images = request_of(session, images=["cat.png", (root / "cat.png").as_uri(), data, "secret/x.png"]).images
    assert [(image.media_type, image.data, image.private) for image in images] == [
        *[("image/png", PNG, False)] * 3,
        ("image/png", PNG, True),
    ]


def test_pictures_that_are_left_out_are_not_read(session, root):
    (root / ".khojignore").write_text("*.png\n")
    with pytest.raises(UsageError, match=r"cat\.png is not shown"):
        request_of(session, images=["cat.png"])
    (root / "link.png").symlink_to("/etc/hostname")
    with pytest.raises(UsageError):
        request_of(session, images=["link.png"])


# -- one answer ---------------------------------------------------------------------------------------------------------


def test_ask_gives_the_whole_answer(session, server, root):
    told = []
    result = ask(session, asked_at(server), Job(CancelToken(), told.append))
    assert (result.text, result.removed, result.model) == ("It is channel 36 [1].", [], "openai/gpt-4o-mini")
    assert [each.path for each in result.citations] == ["router.md"]
    assert "router.md" in [each.path for each in result.sources]
    assert result.conversation and result.turn and msgspec.json.encode(result)
    assert [progress.message for progress in told] == ["Asking openai/gpt-4o-mini"]
    assert session.vaults._leases[root] == 0


def test_ask_tells_what_had_arrived_where_it_fails(session):
    with ChatServer([Reply(["It is ", "chan"], dies_after=2)]) as server, pytest.raises(KhojError) as raised:
        ask(session, asked_at(server), Job(CancelToken(), print))
    assert raised.value.code.startswith("khoj.model")
    details = raised.value.details
    assert "It is" in details["text"]
    assert details["conversation"] and details["turn"] and details["sources"][0]["path"] == "router.md"
    assert msgspec.json.encode(dict(details))


def test_ask_can_be_called_off(session):
    token = CancelToken()
    with ChatServer([Reply(["It is "], silent_after=1)]) as server:
        threading.Thread(target=lambda: (wait_until(lambda: server.requests), token.cancel())).start()
        with pytest.raises(Cancelled) as raised:
            ask(session, asked_at(server), Job(token, lambda progress: None))
        assert server.gone.acquire(timeout=10)
    assert raised.value.details["consent"] is None


# -- a yes ----------------------------------------------------------------------------------------------------------------


class FarModel:
    """A model on another machine that answers once the host is allowed."""

    card = ModelCard("far", "model", window=8192, max_answer=512)
    host, remote = HOST, True
    asked = 0

    def count(self, text):
        return len(text) // 3 + 1

    def meanwhile(self):
        """What happens while it answers."""

    def stream(self, messages, sampling, token):
        self.asked += 1
        self.meanwhile()
        yield Delta("Yes.")
        yield Finished(Usage(1, 1))


class FarModels:
    def __init__(self):
        self.model, self.allowed = FarModel(), set()

    def choose(self, name, base_url=None):
        return self.model

    def check_consent(self, model, messages, answer):
        if model.host not in self.allowed:
            raise ConsentNeeded("say yes first", host=model.host, tokens=1234, cost=0.5)

    def allow(self, host):
        self.allowed.add(host)

    def listed(self):
        return []

    def close(self):
        pass


@pytest.fixture
def far(session):
    session.vaults._chat_models = FarModels()
    return session.vaults._chat_models


def test_without_a_yes_nothing_is_sent_and_the_turn_can_be_asked_again(session, far, root):
    with pytest.raises(UsageError, match="no chat has asked"):
        allow_host(session, AllowHostParams(HOST), None)
    *_, failed = stream(session, ChatParams(QUESTION))
    assert (failed.code, failed.consent.host, failed.consent.tokens, failed.consent.cost) == ("khoj.consent", HOST, 1234, 0.5)
    assert far.model.asked == 0
    assert allow_host(session, AllowHostParams(HOST), None).hosts == [HOST]
    *_, done = stream(session, ChatParams("", replaces=failed.turn))
    assert (done.text, done.conversation) == ("Yes.", failed.conversation)
    assert [turn.question for turn in session.vaults.open(root).conversations.get(done.conversation).turns] == [QUESTION]


@pytest.mark.parametrize("answer", [True, False])
def test_a_session_that_can_ask_goes_on_after_a_yes(session, far, answer, root):
    asked = []

    def ask_user(consent, token):
        asked.append(consent.host)
        return answer

    session.ask_consent = ask_user
    events = list(stream(session, ChatParams(QUESTION)))
    assert asked == [HOST]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len({event.turn for event in events}) == 1
    assert kinds(events)[-1] == ("done" if answer else "failed")
    assert kinds(events).count("failed") == (not answer)
    assert far.allowed == ({HOST} if answer else set())
    (turn,) = session.vaults.open(root).conversations.get(events[-1].conversation).turns
    assert (turn.state, turn.answer) == (("done", "Yes.") if answer else ("failed", ""))
    assert session.vaults.open(root)._chatting._under_way == {}


def test_a_turn_that_is_called_off_while_the_user_is_asked_was_called_off(session, far, root):
    def ask_user(consent, token):
        token.cancel()
        return False

    session.ask_consent = ask_user
    *_, failed = stream(session, ChatParams(QUESTION))
    (turn,) = session.vaults.open(root).conversations.get(failed.conversation).turns
    assert (failed.code, failed.consent, turn.state) == ("khoj.cancelled", None, "cancelled")


def test_after_a_yes_too_a_conversation_is_answered_one_turn_at_a_time(session, far):
    refused = []

    def meanwhile():
        far.model.meanwhile = lambda: None
        (turn,) = session.turns.values()
        with pytest.raises(UsageError, match="is being answered") as raised:
            next(stream(session, ChatParams(QUESTION, conversation=turn.started.conversation)))
        refused.append(raised.value)

    session.ask_consent, far.model.meanwhile = lambda consent, token: True, meanwhile
    *_, done = stream(session, ChatParams(QUESTION))
    assert (done.kind, len(refused)) == ("done", 1)


# -- settings -----------------------------------------------------------------------------------------------------------------


def test_the_users_file_holds_from_the_next_turn_on(session, server, folders, root):
    assert list(stream(session, ChatParams(QUESTION)))[-1].model == ""
    folders.user_settings.parent.mkdir(parents=True, exist_ok=True)
    url = f'[chat]\nmodel = "here/small"\n[chat.providers.here]\nbase_url = "{server.url}"\n'
    folders.user_settings.write_text(url)
    assert list(stream(session, ChatParams(QUESTION)))[-1].model == "here/small"
    assert choices(session, ChoicesParams(str(root)), None).model == "here/small"
    folders.user_settings.write_text("")
    assert list(stream(session, ChatParams(QUESTION)))[-1].model == ""


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[daemon]\nnice = 3\n", True),
        ("[search]\nlimit = 3\n", False),  # that is followed
    ],
)
def test_settings_that_hold_only_later_are_told(session, folders, root, written, told):
    folders.user_settings.parent.mkdir(parents=True, exist_ok=True)
    folders.user_settings.write_text(written)
    (vault,) = status(session, StatusParams(str(root)), None).vaults
    assert ("daemon starts anew" in vault.message) is told


def test_what_the_editor_sets_wins(session, server, folders, root):
    (root / ".khoj.toml").write_text('[chat]\npersona = "writer"\nsources = 3\n')
    assert choices(session, ChoicesParams(), None).persona == "writer"
    session.overrides, problems = session_values({"chat": {"persona": "developer"}})
    assert (choices(session, ChoicesParams(), None).persona, problems) == ("developer", [])
    done = list(stream(session, asked_at(server)))[-1]
    conversations = session.vaults.open(root).conversations
    assert conversations.persona(done.conversation) == "developer"


def test_choices_tell_what_a_chat_can_use(session, folders):
    (folders.config / "personas").mkdir(parents=True)
    (folders.config / "personas" / "pirate.toml").write_text('about = "Says arr."\nprompt = "You are a pirate."\n')
    found = choices(session, ChoicesParams(), None)
    assert {"default", "researcher", "developer", "writer", "pirate"} <= {each.name for each in found.personas}
    assert {"notes", "general", "default", "summarize", "links", "help"} <= {each.name for each in found.commands}
    assert "openai/gpt-4o-mini" in {each.name for each in found.models}
    assert all("keys" not in field for field in msgspec.to_builtins(found.models[0]))


@pytest.mark.parametrize("name", ["chat", "chat/cancel", "ask", "allowHost"])
def test_a_request_is_a_command_too(name):
    (operation,) = [each for each in OPERATIONS if each.name == name]
    assert operation.command == "khoj." + name.replace("/", ".")
    assert operation.summary.endswith(".")
