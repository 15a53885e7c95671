"""`khoj-ls chat`: answers from your notes, one question or a conversation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import click

from khoj_ls.cli.connection import connect
from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import columns, echo_json
from khoj_ls.cli.run import Run, chosen_vault, json_option, run_options, vault_option
from khoj_ls.core.errors import UsageError

MEANING_SECONDS = 20.0
"""A vault that is being embedded is waited for this long: answers by words alone are poor ones."""

_HELP = """Ask your notes: an answer that cites the passages it comes from.

With QUESTION, or a question piped in (- too), one answer. Without one, on a terminal, a conversation: /help tells its commands,
Ctrl-C stops an answer, Ctrl-D ends. Without a chat model the answer is the passages themselves; `khoj-ls models` tells what
there is and how to set one. Filters of the query language (file: tag: dt>= ...) narrow what is searched, as in a search.

Nothing is sent to another machine before you said yes to it.

\b
Examples:
  khoj-ls chat "why is my bread flat"
  khoj-ls chat --vault ~/notes --model ollama/llama3.2 "what did we decide about the roof tag:house"
  khoj-ls chat --context homelab/network.md --context tag:dns "what would break if I moved the resolver"
  khoj-ls chat --context projects.org - < question.txt
  khoj-ls chat --continue "and what would that cost"
  khoj-ls chat --json "when do birds migrate at night" | jq -r 'select(.kind == "delta").text'
  khoj-ls chat
"""


def _listed(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Names that begin so, for the completion of a shell."""

    def names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        root = chosen_vault(None)
        with connect(Run()) as connection:
            listed = connection.call("khoj/choices", {"vault": str(root)})[kind]
        return [each["name"] for each in listed if each["name"].startswith(incomplete)]

    return names


@click.command("chat", help=_HELP)
@click.argument("question", nargs=-1)
@vault_option
@click.option(
    "--model",
    metavar="PROVIDER/NAME",
    shell_complete=_listed("models"),
    help="The model to ask, or a preset; none: the passages themselves. Default: the persona's, else chat.model.",
)
@click.option("--base-url", metavar="URL", help="Where the model is asked, in place of where your settings say.")
@click.option("--persona", metavar="NAME", shell_complete=_listed("personas"), help="Who answers. Default: chat.persona.")
@click.option("--personas", "list_personas", is_flag=True, help="List who can answer, and end.")
@click.option("--profile", metavar="NAME", help="The search profile. Default: the persona's, else chat.profile.")
@click.option("--conversation", metavar="ID", help="Go on with this conversation.")
@click.option("--continue", "latest", is_flag=True, help="Go on with the latest conversation of the vault.")
@click.option(
    "--context",
    "named",
    multiple=True,
    metavar="PLACE",
    help="What the answer is to be about: FILE, FILE:LINE, FILE:FIRST-LAST, DIR or tag:NAME; may be given several times.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A picture for a model that sees; may be given several times.",
)
@click.option("--no-subqueries", is_flag=True, help="Search for the question as it stands; do not ask the model for searches.")
@click.option("--no-keep", is_flag=True, help="Keep nothing of this: neither the conversation nor the history of the prompt.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("auto", "rich", "plain", "markdown")),
    default="auto",
    help="How the answer is shown. Default: drawn on a terminal, plain elsewhere; markdown has links to the notes.",
)
@click.option(
    "--wait/--no-wait", default=None, help="Wait until everything is embedded, or for nothing. Default: for the words."
)
@json_option
@run_options
@click.pass_obj
def command(
    run: Run,
    /,
    question: tuple[str, ...],
    vault: Path | None,
    form: str,
    wait: bool | None,
    latest: bool,
    conversation: str | None,
    no_keep: bool,
    list_personas: bool,
    **asked: Any,
) -> int:
    """Ask and show."""
    # Imported here: what draws and streams is not needed for the help.
    from khoj_ls.cli.answer import made_ready, meaning_awaited
    from khoj_ls.cli.chatting.context import question_of
    from khoj_ls.cli.chatting.render import view_for
    from khoj_ls.cli.chatting.turn import Talking, take_turn

    if latest and conversation:
        raise UsageError("write either --continue or --conversation ID")
    root = chosen_vault(vault)
    if list_personas:
        return _show_personas(run, root)
    params = _params(root, asked) | {"keep": not no_keep}
    message = question_of(question)
    if message is None and run.json:
        raise UsageError("say what to ask: a conversation at the prompt has no --json")
    with ExitStack() as connections:
        connection = connections.enter_context(connect(run))
        talking = cast(Talking, connection)
        made_ready(connection, root, wait=wait)
        if wait is None:
            meaning_awaited(connection, root, MEANING_SECONDS)
        params["conversation"] = _latest(talking, root) if latest else conversation
        if message is not None:
            asking = {**params, "message": message}
            return take_turn(talking, asking, lambda: view_for(form, root, as_json=run.json), may_ask=not run.json).status
        from khoj_ls.cli.chatting.repl import Talk, converse
        from khoj_ls.config.paths import folders

        first = iter([talking])
        talk = Talk(
            lambda: next(first, None) or cast(Talking, connections.enter_context(connect(run))),
            root,
            lambda: view_for(form, root, as_json=False),
            params,
        )
        converse(talk, None if no_keep else folders().state / "chat_history")
    sys.stdout.flush()
    return FOUND


def _params(root: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters of `khoj/chat` that the options give."""
    from khoj_ls.cli.chatting.context import context_of, images_of

    return {
        "vault": str(root),
        "model": asked["model"],
        "baseUrl": asked["base_url"],
        "persona": asked["persona"],
        "profile": asked["profile"],
        "context": context_of(asked["named"], root),
        "images": images_of(asked["images"], root),
        "subqueries": False if asked["no_subqueries"] else None,
    }


def _show_personas(run: Run, root: Path) -> int:
    with connect(run) as connection:
        personas = connection.call("khoj/choices", {"vault": str(root)})["personas"]
    if run.json:
        echo_json({"personas": personas})
    else:
        columns([(each["name"], f"{each['about']} ({each['source']})") for each in personas])
    return FOUND


def _latest(talking: Any, root: Path) -> str:
    listed = talking.call("khoj/conversations", {"vault": str(root), "action": "list", "limit": 1})["conversations"]
    if not listed:
        raise UsageError(f"there is no conversation about {root} to go on with: ask without --continue")
    return str(listed[0]["id"])
