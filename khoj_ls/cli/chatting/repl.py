"""A conversation at the terminal: line editing and history, commands of its own, and those of the chat passed on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from khoj_ls.chat.question.commands import BUILT_IN
from khoj_ls.cli.chatting.render import View
from khoj_ls.cli.chatting.turn import Talking, Turned, take_turn
from khoj_ls.cli.chatting.words import heading_of, place_of
from khoj_ls.cli.output import columns, note, printable
from khoj_ls.core.errors import DaemonError, KhojError, UsageError

HISTORY_LINES = 2000
_FORMATS = MappingProxyType({".md": "markdown", ".org": "org", ".json": "json"})

OWN = MappingProxyType(
    {
        "/new": "begin another conversation",
        "/model NAME": "ask this model from now on: PROVIDER/NAME, a preset, or none",
        "/persona NAME": "let this persona answer from now on",
        "/sources": "show the passages of the last answer",
        "/retry": "ask the last question again",
        "/edit": "change the last question and ask it instead",
        "/save FILE": "write the conversation to FILE (.md, .org or .json)",
        "/conversations": "list what was talked about before",
        "/resume ID": "go on with one of them",
        "/quit": "end (so does Ctrl-D); Ctrl-C stops an answer",
    }
)
"""The commands of this prompt."""


@dataclass
class Talk:
    """A conversation at the prompt, and how its next question is asked."""

    reach: Callable[[], Talking]
    """Makes a connection: one for all questions, and another where that is lost."""
    root: Path
    new_view: Callable[[], View]
    asked: dict[str, Any]
    """Parameters of the next question, less its message."""
    question: str = ""
    """The last question."""
    last: Turned | None = None

    @cached_property
    def connection(self) -> Talking:
        """What answers."""
        return self.reach()

    def lost(self) -> None:
        """Reach for another connection next time: what answered is gone."""
        del self.connection


def converse(talk: Talk, history: Path | None) -> None:
    """Ask and answer until the person ends it; what was typed is kept in the file `history`, or nowhere."""
    note(f"ask {talk.root.name} something; /help tells the commands, Ctrl-D ends")
    with _editing(talk, history) as read:
        while (line := _read(read)) is not None:
            if line and not _command(talk, line):
                return


def _read(read: Callable[[], str]) -> str | None:
    """The next question, without blanks around it; None when the person ends it. A line that ends in a backslash goes on."""
    lines: list[str] = []
    while True:
        try:
            line = read()
        except EOFError:
            click.echo(err=True)
            return None
        except KeyboardInterrupt:  # what is being typed is given up
            click.echo(err=True)
            return ""
        lines.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            return "\n".join(lines).strip()


def _command(talk: Talk, line: str) -> bool:
    """Do what the line says; False when it ends the conversation."""
    name, _, words = line.partition(" ")
    does = _COMMANDS.get(name)
    try:
        if name in ("/quit", "/exit"):
            return False
        if does is not None:
            does(talk, words.strip())
        else:
            if name == "/help":
                _own_help()
            _ask(talk, line)
    except KhojError as error:
        click.secho(f"khoj-ls: {printable(str(error))}", err=True, fg="red")
        if isinstance(error, DaemonError):
            talk.lost()
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
    return True


def _ask(talk: Talk, message: str, *, replaces: str | None = None) -> None:
    turned = take_turn(talk.connection, {**talk.asked, "message": message, "replaces": replaces}, talk.new_view)
    talk.question = message or talk.question
    talk.last = turned
    if turned.end.get("code") == DaemonError.code:
        talk.lost()
    talk.asked["conversation"] = turned.conversation or talk.asked.get("conversation")
    # Places and pictures belong to the question that they were named with; what is said of them stays in the conversation.
    if turned.end["kind"] == "done":
        talk.asked |= {"context": [], "images": []}


def _own_help() -> None:
    click.echo("At this prompt:", err=True)
    for name, about in OWN.items():
        click.echo(f"  {name:<16}{about}", err=True)


def _new(talk: Talk, words: str) -> None:
    talk.asked["conversation"] = None
    talk.last = None
    note("a new conversation")


def _model(talk: Talk, words: str) -> None:
    if not words:
        raise UsageError("write /model PROVIDER/NAME, a preset, or none: `khoj-ls models` lists them")
    talk.asked["model"] = words
    note(f"the next answer is by {words}")


def _persona(talk: Talk, words: str) -> None:
    known = [each["name"] for each in talk.connection.call("khoj/choices", {"vault": str(talk.root)}).get("personas", ())]
    if words not in known:
        raise UsageError(f"write /persona NAME; there are: {', '.join(known)}")
    talk.asked["persona"] = words
    note(f"the next answer is by {words}")


def _sources(talk: Talk, words: str) -> None:
    if talk.last is None or not talk.last.sources:
        raise UsageError("there are no passages yet: ask something first")
    for source in talk.last.sources:
        number = click.style(f"[{source['number']}]", fg="cyan", bold=True)
        place = click.style(place_of(talk.root, source), fg="magenta")
        click.echo(f"{number} {place} - {click.style(heading_of(source), bold=True)}")
        for line in source["text"].strip().splitlines():
            click.echo(f"    {printable(line)}")


def _last_turn(talk: Talk) -> str:
    if talk.last is None or not talk.question:
        raise UsageError("there is no question yet")
    if talk.last.turn is None:
        raise UsageError("the last question was not taken: ask it again in other words")
    return talk.last.turn


def _retry(talk: Talk, words: str) -> None:
    _ask(talk, "", replaces=_last_turn(talk))


def _edit(talk: Talk, words: str) -> None:
    replaces = _last_turn(talk)
    if words:
        _ask(talk, words, replaces=replaces)
        return
    changed = click.edit(talk.question) if not _readline() else _prefilled(talk)
    if changed and changed.strip():
        _ask(talk, changed.strip(), replaces=replaces)


def _prefilled(talk: Talk) -> str:
    """The last question, as the person changed it on the prompt."""
    import readline

    def fill() -> None:
        readline.insert_text(talk.question.replace("\n", " "))
        readline.redisplay()

    readline.set_pre_input_hook(fill)
    try:
        return input(_prompt())
    except EOFError:
        return ""
    finally:
        readline.set_pre_input_hook(None)


def _save(talk: Talk, words: str) -> None:
    from khoj_ls.config.edit import replace_private

    conversation = talk.asked.get("conversation")
    if not words or not conversation:
        raise UsageError("write /save FILE, after the first answer" if not words else "there is no answer to save yet")
    path = Path(words).expanduser().absolute()
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise UsageError(f"{path.name}: a conversation is saved as {', '.join(_FORMATS)}")
    if path.exists() and not click.confirm(f"{path} is there. Write over it?", err=True, default=False):
        return
    exported = talk.connection.call("khoj/conversations", _about(talk, "export", conversation=conversation, format=form))
    replace_private(path, exported["text"])
    note(f"saved in {path}")


def _conversations(talk: Talk, words: str) -> None:
    listed = talk.connection.call("khoj/conversations", _about(talk, "list"))["conversations"]
    if not listed:
        note("nothing was talked about yet")
    columns([(each["id"], each["title"]) for each in listed])


def _resume(talk: Talk, words: str) -> None:
    if not words:
        raise UsageError("write /resume ID: /conversations lists them")
    found = talk.connection.call("khoj/conversations", _about(talk, "get", conversation=words))
    talk.asked["conversation"] = found["conversation"]["id"]
    talk.last = None
    note(f"going on with: {found['conversation']['title']}")


def _about(talk: Talk, action: str, **more: Any) -> dict[str, Any]:
    return {"vault": str(talk.root), "action": action, **more}


_COMMANDS: Mapping[str, Callable[[Talk, str], None]] = MappingProxyType(
    {
        "/new": _new,
        "/model": _model,
        "/persona": _persona,
        "/sources": _sources,
        "/retry": _retry,
        "/edit": _edit,
        "/save": _save,
        "/conversations": _conversations,
        "/resume": _resume,
    }
)


def _readline() -> bool:
    try:
        import readline  # noqa: F401 - asked for whether it is there: Windows has none
    except ImportError:
        return False
    return True


def _prompt() -> str:
    if os.environ.get("NO_COLOR") or not _readline():
        return "> "
    # The marks tell the line editor that these bytes take no room.
    return "\001\033[1;36m\002>\001\033[0m\002 "


@contextmanager
def _editing(talk: Talk, history: Path | None) -> Iterator[Callable[[], str]]:
    """Reads lines with editing, completion of commands, and the history of earlier times."""
    if not _readline():
        yield lambda: input(_prompt())
        return
    import readline

    names = sorted({*(name.partition(" ")[0] for name in OWN), *(f"/{name}" for name in BUILT_IN)})

    def complete(text: str, state: int) -> str | None:
        matching = [f"{name} " for name in names if name.startswith(text)] if text.startswith("/") else []
        return matching[state] if state < len(matching) else None

    before = readline.get_completer(), readline.get_completer_delims()
    readline.set_completer(complete)
    readline.set_completer_delims(" \n")
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    try:
        with _remembered(history) if history else nullcontext():
            yield lambda: input(_prompt())
    finally:
        readline.set_completer(before[0])
        readline.set_completer_delims(before[1])


@contextmanager
def _remembered(history: Path) -> Iterator[None]:
    """What was typed earlier can be fetched back; what is typed now is added. Only the user can read the file."""
    import readline

    try:
        history.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(history, os.O_RDWR | os.O_CREAT, 0o600))
        readline.read_history_file(history)
    except OSError as error:
        note(f"{history}: {error.strerror or error}; this time there is no history")
        yield
        return
    readline.set_history_length(HISTORY_LINES)
    try:
        yield
    finally:
        try:
            readline.write_history_file(history)
            history.chmod(0o600)
        except OSError as error:
            note(f"{history}: {error.strerror or error}; what you typed is not kept")
