"""`khoj-ls conversations`: what was asked and answered before, to be listed, read, found, renamed, deleted, exported."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.chatting.events import FOR_FILES, placed
from khoj_ls.cli.chatting.words import heading_of, within
from khoj_ls.cli.connection import connect
from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.output import echo_json, note, plural, printable
from khoj_ls.cli.run import Run, json_option, run_options, searched_vaults, vault_option
from khoj_ls.core.errors import UsageError

_HELP = """List, read, search, rename, delete and export conversations with your notes.

Without a verb the last ones are listed. A conversation is named by its id, or by the beginning of it.

\b
Examples:
  khoj-ls conversations
  khoj-ls conversations show 3f2a
  khoj-ls conversations search how did I fix the router
  khoj-ls conversations export 3f2a -o router.org
  khoj-ls conversations delete 3f2a --yes

\b
Exit status: 0 found or done, 1 nothing found.
"""
_SHOWN_ID = 8
_SUFFIXES = (("markdown", (".md", ".markdown")), ("org", (".org",)), ("json", (".json",)))
_STATES = (("running", "the answer is under way"), ("cancelled", "called off"))

_conversation = click.argument("conversation", metavar="ID")


@click.group("conversations", help=_HELP, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@vault_option
@json_option
@run_options
@click.pass_context
def command(context: click.Context, vault: Path | None) -> int | None:
    """List, unless something else is asked for."""
    context.meta[_VAULT] = vault
    if context.invoked_subcommand is None:
        return _list(context.ensure_object(Run), vault, None, 0)
    return None


_VAULT = f"{__name__}.vault"


@command.command("list")
@vault_option
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="Most conversations, 1 to 100. Default: 50.")
@click.option("--offset", type=click.IntRange(0), default=0, metavar="N", help="Leave out the last N used.")
@json_option
@run_options
@click.pass_obj
def list_conversations(run: Run, vault: Path | None, limit: int | None, offset: int) -> int:
    """List conversations, the last used first."""
    return _list(run, vault, limit, offset)


@command.command("show")
@_conversation
@vault_option
@json_option
@run_options
@click.pass_obj
def show(run: Run, conversation: str, vault: Path | None) -> int:
    """Show a conversation: questions, answers, and what they rest on."""
    result = _ask(run, vault, "get", conversation=conversation)
    info = result["conversation"]
    if run.json:
        turns = {name: [_turn_json(turn) for turn in result[name]] for name in ("turns", "superseded")}
        echo_json({**info, **turns})
        return FOUND
    click.secho(printable(info["title"]), bold=True)
    for turn in result["turns"]:
        _show_turn(turn)
    if result["superseded"]:
        note(f"{plural(len(result['superseded']), 'question')} asked anew since: --json shows them too")
    return FOUND


@command.command("search")
@click.argument("query", nargs=-1, required=True)
@vault_option
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="Most results, 1 to 100. Default: 10.")
@json_option
@run_options
@click.pass_obj
def search(run: Run, query: tuple[str, ...], vault: Path | None, limit: int | None) -> int:
    """Find questions and answers by words and by meaning."""
    words = " ".join(query).strip()
    if not words:
        raise UsageError("say what to search for")
    result = _ask(run, vault, "search", query=words, limit=limit)
    if run.json:
        echo_json({name: result[name] for name in ("hits", "degraded", "reason")})
    else:
        for hit in result["hits"]:
            about = click.style(f"({_when(hit['asked'])}, {hit['score']:.2f})", dim=True)
            click.echo(f"{_id(hit['conversation'])} {click.style(printable(hit['title']), bold=True)} {about}")
            click.echo(f"    {_marked(hit['snippet'], hit['highlights'])}")
        if not result["hits"]:
            note("nothing found")
        if result["reason"]:
            note(result["reason"])
    return FOUND if result["hits"] else NOTHING


@command.command("rename")
@_conversation
@click.argument("title", nargs=-1, required=True)
@vault_option
@json_option
@run_options
@click.pass_obj
def rename(run: Run, conversation: str, title: tuple[str, ...], vault: Path | None) -> int:
    """Give a conversation another title."""
    result = _ask(run, vault, "rename", conversation=conversation, title=" ".join(title))
    return _told(run, result, "is called")


@command.command("delete")
@_conversation
@click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
@vault_option
@json_option
@run_options
@click.pass_obj
def delete(run: Run, conversation: str, yes: bool, vault: Path | None) -> int:
    """Delete a conversation: nothing of it is kept."""
    if not yes:
        if run.json:
            raise UsageError("say --yes as well: with --json nobody is asked")
        info = _ask(run, vault, "get", conversation=conversation)["conversation"]
        what = f"{_id(info['id'])} {printable(info['title'])} ({plural(info['turns'], 'question')})"
        click.confirm(f"Delete {what} for good?", err=True, abort=True)
        conversation = info["id"]
    return _told(run, _ask(run, vault, "delete", conversation=conversation), "is deleted:")


@command.command("export")
@_conversation
@click.option(
    "--format", "form", type=click.Choice([name for name, _ in _SUFFIXES]), help="Default: what FILE ends in, else markdown."
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A new file, instead of the terminal.",
)
@vault_option
@json_option
@run_options
@click.pass_obj
def export(run: Run, conversation: str, form: str | None, output: Path | None, vault: Path | None) -> int:
    """Write a conversation as Markdown, Org or JSON, with links to the notes it cites."""
    if output is not None and output.exists():
        raise UsageError(f"{output} is there already: name another file, or delete it first")
    form = form or _form_of(output)
    result = _ask(run, vault, "export", conversation=conversation, format=form)
    if output is not None:
        # x: also one that came between is left as it is.
        with output.open("x", encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            stream.write(result["text"])
        note(f"written to {output}")
    if run.json:
        echo_json({"id": result["conversation"]["id"], "format": form, "text": result["text"]})
    elif output is None and sys.stdout.isatty():
        for line in result["text"].split("\n"):
            click.echo(printable(line))
    elif output is None:
        click.echo(result["text"].encode("utf-8", "surrogateescape"), nl=False)
    return FOUND


def _ask(run: Run, vault: Path | None, action: str, **params: Any) -> dict[str, Any]:
    """The result of khoj/conversations; what its vaults have to say is told."""
    context = click.get_current_context()
    roots = searched_vaults(vault or context.meta.get(_VAULT))
    named = str(roots[0]) if len(roots) == 1 else None
    with connect(run) as connection:
        result: dict[str, Any] = connection.call("khoj/conversations", {"action": action, "vault": named, **params})
    for message in result["messages"]:
        note(message)
    return result


def _list(run: Run, vault: Path | None, limit: int | None, offset: int) -> int:
    result = _ask(run, vault, "list", limit=limit, offset=offset)
    found = result["conversations"]
    if run.json:
        echo_json({"conversations": found, "total": result["total"]})
        return FOUND if found else NOTHING
    for each in found:
        about = click.style(f"({_when(each['updated'])}, {plural(each['turns'], 'question')})", dim=True)
        click.echo(f"{_id(each['id'])} {printable(each['title'])} {about}")
    if not found:
        note("there are no conversations yet: `khoj-ls chat` begins one" if not result["total"] else "there are no more")
    elif offset + len(found) < result["total"]:
        note(f"{len(found)} of {result['total']:,}: --offset {offset + len(found)} shows the next")
    return FOUND if found else NOTHING


def _told(run: Run, result: Mapping[str, Any], what: str) -> int:
    info = result["conversation"]
    if run.json:
        echo_json(info)
    else:
        click.echo(f"{_id(info['id'])} {what} {printable(info['title'])}")
    return FOUND


def _form_of(output: Path | None) -> str:
    suffix = output.suffix.lower() if output else ".md"
    found = next((name for name, suffixes in _SUFFIXES if suffix in suffixes), None)
    if found is None:
        raise UsageError(f"{output}: say with --format what it is to be, or end the name in .md, .org or .json")
    return found


def _show_turn(turn: Mapping[str, Any]) -> None:
    click.echo()
    for number, line in enumerate(turn["question"].split("\n")):
        click.secho(("> " if number == 0 else "  ") + printable(line), fg="cyan", bold=True)
    about = " ".join(filter(None, [_when(turn["asked"]), turn["model"]]))
    click.secho(printable(about), dim=True)
    for line in turn["answer"].split("\n") if turn["answer"] else ():
        click.echo(printable(line))
    state = dict(_STATES).get(turn["state"]) or (f"failed: {turn['message']}" if turn["state"] == "failed" else "")
    if state:
        click.secho(printable(state), fg="red")
    for source in turn["sources"]:
        place = click.style(printable(source["path"]), fg="magenta")
        click.echo(f"  [{source['number']}] {place}{within(placed(source))}: {heading_of(source)}")


def _turn_json(turn: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in turn.items() if name not in FOR_FILES}
    return {**told, **{name: [placed(place) for place in turn[name]] for name in ("sources", "citations")}}


def _marked(snippet: str, highlights: list[list[int]]) -> str:
    written, at = "", 0
    for start, end in highlights:
        written += printable(snippet[at:start]) + click.style(printable(snippet[start:end]), fg="red", bold=True)
        at = end
    return written + printable(snippet[at:])


def _id(whole: str) -> str:
    """The beginning of an id: with so many letters none that a person has is likely to begin like another."""
    return click.style(whole[:_SHOWN_ID], fg="yellow")


def _when(moment: str) -> str:
    """A time as people of this machine's time zone write it."""
    return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
