"""`khoj-ls chat`, one question: what is asked, what is shown, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_service import ANSWER, ANSWERED, CITED, DONE, SOURCES, USAGE, ChatService, delta, done, failed, source

from khoj_ls.cli import chat
from khoj_ls.cli.chatting import turn as chat_turn
from khoj_ls.core.errors import DaemonError, UsageError

Serve = Callable[..., ChatService]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Makes the daemon answer by some scripts."""

    def serve(*scripts: list[Any]) -> ChatService:
        service = ChatService(*scripts)
        monkeypatch.setattr(chat, "connect", service.connect())
        return service

    return serve


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / "homelab").mkdir(parents=True)
    (folder / "homelab" / "network.md").write_text("# Home network\n")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    return folder


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ([], {}),
        (["--model", "ollama/llama3.2", "--base-url", "http://127.0.0.1:1", "--persona", "writer", "--profile", "broad"],
         {"model": "ollama/llama3.2", "baseUrl": "http://127.0.0.1:1", "persona": "writer", "profile": "broad"}),
        (["--conversation", "c7"], {"conversation": "c7"}),
        (["--no-subqueries", "--no-keep"], {"subqueries": False, "keep": False}),
        (["--context", "homelab/network.md", "--context", "homelab", "--context", "tag:#dns", "--context", "."],
         {"context": [{"kind": "note", "name": "homelab/network.md"}, {"kind": "folder", "name": "homelab"},
                      {"kind": "tag", "name": "dns"}, {"kind": "folder", "name": "."}]}),
    ],
)  # fmt: skip
def test_what_is_asked(verb: Any, serve: Serve, vault: Path, options: list[str], asked: dict[str, Any]) -> None:
    service = serve(ANSWERED)
    assert verb("chat", "--vault", str(vault), *options, "how", "many ports").exit_code == 0
    assert service.asked == [{"message": "how many ports", **asked}]


@pytest.mark.parametrize(("place", "first", "last"), [("homelab/network.md:3", 2, 3), ("homelab/network.md:3-9", 2, 9)])
def test_lines_of_a_note_as_context(verb: Any, serve: Serve, vault: Path, place: str, first: int, last: int) -> None:
    service = serve(ANSWERED)
    verb("chat", "--vault", str(vault), "--context", place, "why")
    note = {"uri": (vault / "homelab" / "network.md").as_uri()}
    between = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
    assert service.asked[0]["context"] == [{"kind": "selection", "textDocument": note, "range": between}]


def test_pictures_of_the_vault_are_named_and_others_are_sent(verb: Any, serve: Serve, vault: Path, tmp_path: Path) -> None:
    (tmp_path / "b.gif").write_bytes(b"GIF89a")
    service = serve(ANSWERED)
    verb("chat", "--vault", str(vault), "--image", str(vault / "picture.png"), "--image", "b.gif", "what is this")
    assert service.asked[0]["images"] == [(vault / "picture.png").as_uri(), "data:image/gif;base64,R0lGODlh"]


@pytest.mark.parametrize("words", [["-"], []])
def test_a_question_that_is_piped_in(verb: Any, serve: Serve, words: list[str]) -> None:
    service = serve(ANSWERED)
    assert verb("chat", *words, input="how many\nports?\n").exit_code == 0
    assert service.asked == [{"message": "how many\nports?"}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([" "], "say what to ask"),
        (["--continue", "--conversation", "c7", "q"], "write either --continue or --conversation ID"),
        (["--context", "none.md", "q"], "--context none.md: there is no such note or folder"),
        (["--context", "none.md:3", "q"], "--context none.md:3: there is no such note or folder"),
        (["--context", "homelab/network.md:3-2", "q"], "lines count from 1, and the first comes first"),
        (["--context", "../outside.md", "q"], "it is not in the vault"),
        (["--context", "tag:", "q"], "--context tag: names no tag"),
        (["--image", "homelab/network.md", "q"], "this is no PNG, JPEG, GIF or WebP"),
        (["--image", "none.png", "q"], "--image none.png: No such file"),
    ],
)
def test_wrong_usage(
    verb: Any, serve: Serve, vault: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    (vault.parent / "outside.md").touch()
    service = serve(ANSWERED)
    monkeypatch.chdir(vault)
    shown = verb("chat", "--vault", ".", *options)
    assert (shown.exit_code, shown.stdout, message in shown.stderr) == (2, "", True), shown.stderr
    assert service.asked == []


def test_an_answer_in_plain_text(verb: Any, serve: Serve, vault: Path) -> None:
    serve(ANSWERED)
    shown = verb("chat", "--vault", str(vault), "how many ports")
    assert shown.stdout == f"{ANSWER}\n\n[1] vault/homelab/network.md:26 - Home network > Machines\n"
    (usage,) = shown.stderr.splitlines()
    assert usage.startswith("khoj-ls: openai/gpt-4o-mini: 1,234 tokens read, 9 written, $0.0003, ")


def test_an_answer_as_markdown_links_to_the_notes(verb: Any, serve: Serve, vault: Path) -> None:
    serve([SOURCES, delta(ANSWER), {**DONE, "citations": [{**CITED, "path": "a b.md"}]}])
    shown = verb("chat", "--vault", str(vault), "--format", "markdown", "q")
    assert shown.stdout == f"{ANSWER}\n\n- \\[1\\] [Home network > Machines](vault/homelab/network.md), line 26\n"


def test_one_event_a_line(verb: Any, serve: Serve, vault: Path) -> None:
    serve(ANSWERED)
    shown = verb("chat", "--vault", str(vault), "--json", "how many ports")
    events = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert [event["kind"] for event in events] == ["sources", "status", "delta", "delta", "done"]
    assert all(next(iter(event)) == "kind" and (event["conversation"], event["turn"]) == ("c1", "t1") for event in events)
    assert events[0]["sources"][0] == {
        "number": 1, "path": "homelab/network.md", "line": 24, "end_line": 30, "title": "Home network",
        "outline": ["Machines"], "text": "text", "score": 0.5, "private": False, "page": None, "place": None,
    }  # fmt: skip
    assert "".join(event["text"] for event in events if event["kind"] == "delta") == events[-1]["text"] == ANSWER
    assert events[-1]["citations"] == [
        {"number": 1, "path": "homelab/network.md", "line": 26, "end_line": 26, "outline": ["Machines"],
         "quote": "The switch has 8 ports.", "start": 15, "end": 18, "page": None,
         "place": None}
    ]  # fmt: skip
    assert (events[-1]["usage"], events[-1]["unsupported"], events[-1]["removed"]) == (USAGE, [], [])


def test_the_documented_events(verb: Any, serve: Serve) -> None:
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = [json.loads(line) for line in text.partition("```json chat\n")[2].partition("```")[0].splitlines()]
    serve(ANSWERED)
    shown = [json.loads(line) for line in verb("chat", "--json", "q").stdout.splitlines()]
    serve(WANTS_A_YES)
    shown.append(json.loads(verb("chat", "--json", "q").stdout.splitlines()[-1]))
    assert [keys(event) for event in documented] == [keys(event) for event in shown]


def keys(event: dict[str, Any]) -> list[Any]:
    """The names in an event, and those in what lies in it."""
    inner = (value[0] if isinstance(value, list) and value else value for value in event.values())
    names = [sorted(value) if isinstance(value, dict) else None for value in inner]
    return [event["kind"], sorted(zip(event, names, strict=True), key=lambda named: named[0])]


STATEMENTS = [{"text": f"Statement {n}\nof the answer.", "start": 0, "end": 1} for n in range(5)]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (done("a", model="m/m", removed=["[7]", "[7]", "[9]"]), "taken out, as no passage has that number: [7], [9]\n"),
        (done("a", unsupported=STATEMENTS[:1]), 'without a source: "Statement 0 of the answer."\n'),
        (done("a", model="m/m", citations=[CITED], unsupported=STATEMENTS), 'Statement 2 of the answer."; and 2 more\n'),
        (done("a", notices=["To add a model: khoj-ls models"]), "khoj-ls: To add a model: khoj-ls models\n"),
        (done("a", model="m/m"), "the answer names no passage; it was given:\nkhoj-ls:   vault/homelab/network.md:24 - Home"),
        (done("a", model="m/m", usage={**USAGE, "estimated": True}), "m/m: about 1,234 tokens read, about 9 written, "),
    ],
)
def test_what_is_told_beside_the_answer(verb: Any, serve: Serve, vault: Path, end: dict[str, Any], told: str) -> None:
    serve([SOURCES, delta("a"), end])
    shown = verb("chat", "--vault", str(vault), "q")
    assert (shown.exit_code, shown.stdout.splitlines()[0], told in shown.stderr) == (0, "a", True), shown.stderr


def test_what_the_search_lacked_is_told(verb: Any, serve: Serve) -> None:
    serve([{**SOURCES, "degraded": ["meaning covers 40%"], "left_out_private": 2}, delta("a"), done("a")])
    shown = verb("chat", "q").stderr
    assert shown == "khoj-ls: meaning covers 40%\nkhoj-ls: 2 private passages found and kept from this model\n"


def test_notes_do_not_steer_the_terminal(verb: Any, serve: Serve) -> None:
    evil = source(1, "a\x1b[2J.md", 1, 1, "\x1b]0;x\x07")
    serve([{**SOURCES, "sources": [evil]}, delta("\x1b]0;t\x07a\rb"), done("x", citations=[{**CITED, "path": "a\x1b[2J.md"}])])
    shown = verb("chat", "q")
    assert not {"\x1b", "\x07", "\r"} & {*shown.stdout, *shown.stderr}


NOTHING_FOUND = {**SOURCES, "sources": []}


@pytest.mark.parametrize(
    ("script", "status", "told"),
    [
        ([NOTHING_FOUND, delta("Nothing about this."), done("Nothing about this.")], 1, ""),
        ([NOTHING_FOUND, delta("I do not know."), done("I do not know.", model="openai/gpt-4o-mini")], 0, ""),
        ([SOURCES, failed("no such model", UsageError.code)], 2, "khoj-ls: no such model\n"),
        ([SOURCES, failed("not reached", "khoj.model.unreachable")], 3, "khoj-ls: not reached\n"),
        ([SOURCES, delta("half"), failed("called off", "khoj.cancelled", text="half")], 130, "khoj-ls: called off\n"),
        ([UsageError("there is no conversation c7")], 2, "khoj-ls: there is no conversation c7\n"),
        ([SOURCES, delta("half"), DaemonError("the daemon is gone")], 3, "khoj-ls: the daemon is gone\n"),
        ([SOURCES, delta("half"), KeyboardInterrupt()], 130, "khoj-ls: stopped\n"),
    ],
)
def test_how_it_ends(verb: Any, serve: Serve, script: list[Any], status: int, told: str) -> None:
    service = serve(script, script)
    shown = verb("chat", "q")
    half = "half\n" if delta("half") in script else shown.stdout
    assert (shown.exit_code, shown.stdout, shown.stderr) == (status, half, told)
    last = json.loads(verb("chat", "--json", "q").stdout.splitlines()[-1])
    assert (last["kind"], service.closed) == ("failed" if status > 1 else "done", 2)


def test_a_command_that_answers_by_itself_has_found_something(verb: Any, serve: Serve) -> None:
    serve([NOTHING_FOUND, delta("Commands: ..."), done("Commands: ...")])
    assert verb("chat", "/help").exit_code == 0


CONSENT = {"host": "https://api.openai.com", "tokens": 2310, "cost": 0.0012}
WANTS_A_YES = [
    SOURCES,
    failed(
        "run: khoj-ls config set", "khoj.consent", consent={"host": "https://api.openai.com", "tokens": 2310, "cost": 0.0012}
    ),
]


def test_without_a_person_it_is_said_how_to_allow_a_service(verb: Any, serve: Serve) -> None:
    service = serve(WANTS_A_YES)
    shown = verb("chat", "q")
    assert (shown.exit_code, len(service.asked)) == (3, 1)
    assert shown.stderr == "khoj-ls: run: khoj-ls config set\n"


@pytest.mark.parametrize(("word", "status"), [("y", 0), ("n", 3), ("", 3)])
def test_a_person_is_asked_once(verb: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch, word: str, status: int) -> None:
    monkeypatch.setattr(chat_turn, "person_present", lambda: True)
    service = serve(WANTS_A_YES, ANSWERED)
    shown = verb("chat", "--model", "openai/gpt-4o-mini", "q", input=f"{word}\n")
    question = "Send about 2,310 tokens of passages from your notes to https://api.openai.com (about $0.0012)? [y/N]:"
    assert (shown.exit_code, shown.stderr.count(question)) == (status, 1)
    allowed = [params for method, params in service.called if method == "khoj/allowHost"]
    if word == "y":
        again = {"message": "q", "model": "openai/gpt-4o-mini", "conversation": "c1", "replaces": "t1"}
        assert (allowed, service.asked[1], shown.stdout.splitlines()[0]) == (
            [{"host": "https://api.openai.com"}],
            again,
            ANSWER,
        )
    else:
        assert (allowed, len(service.asked), shown.stdout) == ([], 1, "")
        assert "nothing was sent" in shown.stderr


def test_programs_are_asked_nothing(verb: Any, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_turn, "person_present", lambda: True)
    service = serve(WANTS_A_YES)
    shown = verb("chat", "--json", "q", input="y\n")
    assert (shown.exit_code, json.loads(shown.stdout.splitlines()[-1])["consent"], len(service.asked)) == (3, CONSENT, 1)


def test_who_can_answer(verb: Any, serve: Serve) -> None:
    service = serve()
    personas = [{"name": "writer", "about": "Helps with words.", "source": "built-in", "greeting": ""}]
    service.answers["khoj/choices"] = {"personas": personas}
    assert verb("chat", "--personas").stdout == "  writer  Helps with words. (built-in)\n"
    assert json.loads(verb("chat", "--personas", "--json").stdout) == {"personas": personas}
