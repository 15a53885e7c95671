"""A conversation at the prompt: its own commands, and the chat's passed on."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chat_service import ANSWER, ANSWERED, SOURCES, ChatService, delta, done, failed

from khoj_ls.cli.chatting import repl as chat_repl
from khoj_ls.cli.chatting.render import Text
from khoj_ls.cli.chatting.repl import Talk, converse
from khoj_ls.core.errors import DaemonError

Type = Callable[..., ChatService]


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Type:
    """Types lines at the prompt, and ends with Ctrl-D; an exception is what a key raises."""

    def run(
        *lines: str | BaseException, scripts: list[Any], answers: dict[str, Any] | None = None, **asked: Any
    ) -> ChatService:
        service = ChatService(*scripts)
        service.answers |= answers or {}
        typed = iter(lines)

        def read() -> str:
            line = next(typed, None)
            if line is None:
                raise EOFError
            if isinstance(line, BaseException):
                raise line
            return line

        @contextmanager
        def editing(talk: Talk, history: Path | None) -> Iterator[Callable[[], str]]:
            yield read

        monkeypatch.setattr(chat_repl, "_editing", editing)
        converse(Talk(service.reached, tmp_path, lambda: Text(tmp_path), {"context": [], "images": [], **asked}), None)
        assert next(typed, None) is None, "the conversation ended early"
        return service

    return run


def test_a_conversation_goes_on(type_in: Type, capsys: pytest.CaptureFixture[str]) -> None:
    service = type_in(
        "how many ports", "", "and \\", "then", "/summarize it", scripts=[ANSWERED] * 3, context=[{"kind": "tag"}]
    )
    assert service.asked == [
        {"message": "how many ports", "context": [{"kind": "tag"}]},
        {"message": "and \nthen", "conversation": "c1"},
        {"message": "/summarize it", "conversation": "c1"},
    ]
    assert capsys.readouterr().out.count(ANSWER) == 3


def test_a_stopped_answer_keeps_the_prompt_and_the_conversation(type_in: Type, capsys: pytest.CaptureFixture[str]) -> None:
    stopped = [SOURCES, delta("half"), KeyboardInterrupt()]
    service = type_in("first", KeyboardInterrupt(), "/retry", scripts=[stopped, ANSWERED])
    assert service.asked == [{"message": "first"}, {"message": "", "conversation": "c1", "replaces": "t1"}]
    assert service.closed == 2
    shown = capsys.readouterr()
    assert shown.out.startswith("half\n") and "khoj-ls: stopped\n" in shown.err


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        (["/model ollama/x", "q"], [{"message": "q", "model": "ollama/x"}]),
        (["/persona writer", "q"], [{"message": "q", "persona": "writer"}]),
        (["q", "/new", "r"], [{"message": "q"}, {"message": "r"}]),
        (["q", "/edit other words"],
         [{"message": "q"}, {"message": "other words", "conversation": "c1", "replaces": "t1"}]),
        (["q", "/retry", "/retry"],
         [{"message": "q"}, {"message": "", "conversation": "c1", "replaces": "t1"},
          {"message": "", "conversation": "c1", "replaces": "t2"}]),
        (["/resume c", "q"], [{"message": "q", "conversation": "c9"}]),
    ],
)  # fmt: skip
def test_commands_of_the_prompt(type_in: Type, lines: list[str], asked: list[dict[str, Any]]) -> None:
    answers = {
        "khoj/choices": {"personas": [{"name": "writer"}]},
        "khoj/conversations": {"conversation": {"id": "c9", "title": "Bread"}},
    }
    assert type_in(*lines, scripts=[ANSWERED] * 3, answers=answers).asked == asked


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/model", "write /model PROVIDER/NAME"),
        ("/persona nobody", "write /persona NAME; there are: writer"),
        ("/sources", "there are no passages yet"),
        ("/retry", "there is no question yet"),
        ("/edit x", "there is no question yet"),
        ("/save", "write /save FILE"),
        ("/save a.md", "there is no answer to save yet"),
        ("/resume", "write /resume ID"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_prompt_stays(
    type_in: Type, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    service = type_in(line, "q", scripts=[ANSWERED], answers={"khoj/choices": {"personas": [{"name": "writer"}]}})
    assert service.asked == [{"message": "q"}]
    assert told in capsys.readouterr().err


def test_quit_ends(type_in: Type) -> None:
    assert type_in("/quit", scripts=[]).asked == []


def test_a_failure_is_told_and_what_was_named_is_named_again(type_in: Type, capsys: pytest.CaptureFixture[str]) -> None:
    lost = [SOURCES, failed("Ollama is not running", "khoj.model.unreachable")]
    service = type_in("q", "/retry", "r", scripts=[lost, ANSWERED, ANSWERED], images=["data:x"])
    assert [asked.get("images") for asked in service.asked] == [["data:x"], ["data:x"], None]
    assert "khoj-ls: Ollama is not running\n" in capsys.readouterr().err


def test_the_passages(type_in: Type, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    type_in("q", "/sources", scripts=[[SOURCES, delta("x"), done("x")]])
    path = tmp_path / "homelab" / "dns.org"
    assert f"[2] {path}:3 - Home network > Setup\n    first line\n    �[31msecond\n" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "form"), [("talk.md", "markdown"), ("talk.org", "org"), ("talk.JSON", "json")])
def test_a_conversation_is_saved_for_its_owner_alone(type_in: Type, tmp_path: Path, name: str, form: str) -> None:
    service = type_in("q", f"/save {tmp_path / name}", scripts=[ANSWERED], answers={"khoj/conversations": {"text": "# Ports"}})
    asked = {"vault": str(tmp_path), "action": "export", "conversation": "c1", "format": form}
    assert service.called[-1] == ("khoj/conversations", asked)
    assert ((tmp_path / name).read_text(), stat.S_IMODE((tmp_path / name).stat().st_mode)) == ("# Ports", 0o600)


def test_help_tells_both_kinds_of_commands(type_in: Type, capsys: pytest.CaptureFixture[str]) -> None:
    service = type_in("/help", scripts=[[SOURCES, delta("/notes ..."), done("/notes ...")]])
    assert service.asked == [{"message": "/help"}]
    told = capsys.readouterr()
    assert [name for name in chat_repl.OWN if name not in told.err] == []
    assert "/notes ..." in told.out


@pytest.fixture
def editing(private_home: Path) -> Iterator[Callable[[Path], list[str]]]:
    readline = pytest.importorskip("readline")

    def enter(history: Path) -> list[str]:
        service = ChatService()
        readline.clear_history()
        with chat_repl._editing(Talk(service, history.parent, lambda: Text(history.parent), {}), history):
            earlier = [readline.get_history_item(n + 1) for n in range(readline.get_current_history_length())]
            readline.add_history("how many ports")
        return earlier

    yield enter
    readline.clear_history()


def test_the_history_is_kept_and_private(editing: Callable[[Path], list[str]], tmp_path: Path) -> None:
    history = tmp_path / "state" / "chat_history"
    assert editing(history) == []
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    history.chmod(0o644)
    assert editing(history) == ["how many ports"]
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("lines", "scripts"),
    [
        (["q", "again"], [[SOURCES, DaemonError("the daemon is gone: try again")], ANSWERED]),
        (["/conversations", "again"], [ANSWERED]),
    ],
)
def test_a_lost_daemon_is_reached_again(type_in: Type, lines: list[str], scripts: list[Any]) -> None:
    def lost(params: Any) -> Any:
        raise DaemonError("the daemon is gone: try again")

    service = type_in(*lines, scripts=scripts, answers={"khoj/conversations": lost})
    assert (service.reached_times, service.asked[-1]["message"]) == (2, "again")
