"""`khoj-ls demo`: what a user gets, shown on the example vault."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from khoj_ls.cli.app import program
from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import short_path
from khoj_ls.core.errors import UsageError
from khoj_ls.evaluation.speed.home import throw_away_home

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"
"""There in a source checkout."""

_HELP = """Index the example notes, then search them by words and by meaning, and show what is related to one of them.

Nothing of yours is touched: the index lives in a temporary folder with a daemon of its own, and both are gone at the end. Only
the prepared embedding model is kept, since you will need it.
"""


@click.command("demo", help=_HELP)
@click.option(
    "--vault", type=click.Path(path_type=Path), metavar="DIR", default=EXAMPLES, help="The notes. Default: examples/vault."
)
@click.option("--words", default="Belkin RT3200 serial", help="What to search by words.")
@click.option("--meaning", default="how did I fix the router", help="What to search by meaning.")
@click.option("--note", default="kitchen/sourdough.md", metavar="FILE", help="Whose related notes to show (below DIR).")
def command(vault: Path, words: str, meaning: str, note: str) -> int:
    """Run the verbs, one after the other, as a person would."""
    if not (vault / note).is_file():
        raise UsageError(f"{vault / note} is not there: the demo runs in a source checkout, or with --vault and --note")
    root, few = short_path(str(vault.absolute())), ("--limit", "3")
    with throw_away_home():
        _run("A vault is indexed once; later only what changes is read", "index", root)
        _run("By words", "search", "--vault", root, "--mode", "lexical", *few, words)
        _run(
            "By meaning: no word of the question needs to stand in the note",
            "search",
            "--vault",
            root,
            "--mode",
            "dense",
            *few,
            meaning,
        )
        _run("What belongs with a note, linked or not", "related", f"{root}/{note}", *few)
    return FOUND


def _run(title: str, *arguments: str) -> None:
    click.secho(f"\n# {title}", fg="cyan", bold=True)
    click.secho(f"$ khoj-ls {' '.join(shlex.quote(argument) for argument in arguments)}", bold=True)
    with program.make_context("khoj-ls", list(arguments)) as context:
        program.invoke(context)
