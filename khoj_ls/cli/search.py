"""`khoj-ls search`: passages by words and by meaning."""

from __future__ import annotations

from pathlib import Path

import click

from khoj_ls.cli.answer import answered
from khoj_ls.cli.connection import Connection, connect
from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.hits import result_json, show_hits
from khoj_ls.cli.output import echo_json
from khoj_ls.cli.run import Run, json_option, run_options, searched_vaults, vault_option
from khoj_ls.core.errors import UsageError

_HELP = """Find passages by words and by meaning.

Words in double quotes must occur exactly so (mind your shell: '"like this"'). A vault that was never indexed is read first:
its words answer after seconds, meaning follows, and the answer says how much of it is there already. Put -- before a query
that begins with a dash.

\b
Examples:
  khoj-ls search how did I fix the router
  khoj-ls search --mode lexical --limit 3 '"forward-zone" unbound'
  khoj-ls search --vault ~/notes --json sourdough | jq -r '.hits[].path'
"""


@click.command("search", help=_HELP)
@click.argument("query", nargs=-1, required=True)
@vault_option
@click.option("--mode", type=click.Choice(["lexical", "dense", "hybrid"]), help="By words, by meaning, or by both (default).")
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="Most results, 1 to 100. Default: search.limit, 10.")
@click.option(
    "--wait/--no-wait",
    default=None,
    help="Wait until everything is embedded, or for nothing. Default: for the words; with --mode dense for everything.",
)
@json_option
@run_options
@click.pass_obj
def command(
    run: Run, query: tuple[str, ...], vault: Path | None, mode: str | None, limit: int | None, wait: bool | None
) -> int:
    """Search and show."""
    if not " ".join(query).strip():
        raise UsageError("say what to search for")
    roots = searched_vaults(vault)
    # All of several vaults are those that the settings list, and so does the daemon understand it.
    named = str(roots[0]) if len(roots) == 1 else None
    params = {"query": " ".join(query), "limit": limit, "mode": mode, "vault": named}
    with connect(run) as connection:
        result = answered(connection, "khoj/search", params, roots, wait=wait, needs_vectors=mode == "dense")
        nothing = "" if result["hits"] else _nothing(connection, roots)
    if run.json:
        echo_json(result_json(result))
    else:
        show_hits(result, nothing)
    return FOUND if result["hits"] else NOTHING


def _nothing(connection: Connection, roots: list[Path]) -> str:
    """What to say when nothing was found: perhaps there is nothing to find it in."""
    where = ", ".join(map(str, roots))
    vaults = [connection.call("khoj/status", {"vault": str(root)})["vaults"][0] for root in roots]
    if any(vault["files"] or vault["queue"] for vault in vaults):
        return f"nothing found in {where}"
    return f"nothing found: there are no notes in {where} (khoj-ls reads Org, Markdown and plain text)"
