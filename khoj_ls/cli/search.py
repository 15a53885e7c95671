"""`khoj-ls search`: passages by words and by meaning."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.answer import answered
from khoj_ls.cli.connection import Connection, connect
from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.hits import result_json, show_hits
from khoj_ls.cli.output import echo_json
from khoj_ls.cli.run import Run, json_option, run_options, searched_vaults, vault_around, vault_option
from khoj_ls.core.errors import UsageError

_HELP = """Find passages by words and by meaning.

Words in double quotes must occur exactly so (mind your shell: '"like this"'). A vault that was never indexed is read first:
its words answer after seconds, meaning follows, and the answer says how much of it is there already. Put -- before a query
that begins with a dash.

Filters go anywhere in QUERY: file: path: title: heading: type: tag: todo: priority: prop: linksto: dt: (also dt>= dt<);
a - in front excludes, as in -tag:done and -"draft". Filters alone list the newest notes.

\b
Examples:
  khoj-ls search how did I fix the router
  khoj-ls search --mode lexical --limit 3 '"forward-zone" unbound'
  khoj-ls search --vault ~/notes --json sourdough | jq -r '.hits[].path'
  khoj-ls search 'boiler tag:house dt>="last month" -type:org'
  khoj-ls search --profile recent_focused --explain what did we decide
  khoj-ls search --group --in meetings/ --in journal.org budget
"""


def _profiles(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Profiles whose names begin so, for the completion of a shell."""
    from khoj_ls.config.load import load_user_settings, load_vault_settings
    from khoj_ls.config.paths import folders
    from khoj_ls.config.profiles import profile_names

    settings = load_vault_settings(load_user_settings(folders())[0], searched_vaults(None)[0])
    return [name for name in profile_names(settings.search) if name.startswith(incomplete)]


@click.command("search", help=_HELP)
@click.argument("query", nargs=-1, required=True)
@vault_option
@click.option("--mode", type=click.Choice(["lexical", "dense", "hybrid"]), help="By words, by meaning, or by both (default).")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    metavar="N",
    help="Most results, 1 to 100. Default: what the profile says, else search.limit, 10.",
)
@click.option(
    "--profile", metavar="NAME", help="A search profile: `khoj-ls config profiles` lists them. Default: search.profile."
)
@click.option(
    "--tune", multiple=True, metavar="NUMBER=VALUE", help="A number in place of the profile's, such as recency_bias=0.5."
)
@click.option(
    "--rerank/--no-rerank", default=None, help="Read the best candidates again with a cross-encoder. Default: the profile's."
)
@click.option("--explain", is_flag=True, help="Tell for each result how it came to stand where it does.")
@click.option("--group", is_flag=True, help="Put the results of one note together.")
@click.option(
    "--in",
    "within",
    multiple=True,
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Search this note or folder only; may be given several times.",
)
@click.option(
    "--symmetric/--asymmetric",
    default=None,
    help="Look for passages like QUERY, or for those that answer it. Default: like it, if it is long or has several lines.",
)
@click.option("--prefix", is_flag=True, help="The last word may be the beginning of one, as while it is typed.")
@click.option(
    "--wait/--no-wait",
    default=None,
    help="Wait until everything is embedded, or for nothing. Default: for the words; with --mode dense for everything.",
)
@json_option
@run_options
@click.pass_obj
def command(
    run: Run,
    /,
    query: tuple[str, ...],
    vault: Path | None,
    mode: str | None,
    wait: bool | None,
    tune: tuple[str, ...],
    within: tuple[Path, ...],
    **asked: Any,
) -> int:
    """Search and show."""
    if not " ".join(query).strip():
        raise UsageError("say what to search for")
    paths = [_there(path) for path in within]
    # A folder's vault is that of a file in it.
    around = list(dict.fromkeys(vault_around(path if path.is_file() else path / path.name) for path in paths))
    roots = around if paths and vault is None else searched_vaults(vault)
    # All of several vaults are those that the settings list, and so does the daemon understand it.
    named = str(roots[0]) if len(roots) == 1 else None
    params = {"query": " ".join(query), "mode": mode, "vault": named, **asked}
    params |= {"within": [path.as_uri() for path in paths] or None, "tuning": _numbers(tune) if tune else None}
    with connect(run) as connection:
        result = answered(connection, "khoj/search", params, roots, wait=wait, needs_vectors=mode == "dense")
        nothing = "" if result["hits"] else _nothing(connection, roots, paths)
    if run.json:
        echo_json(result_json(result))
    else:
        show_hits(result, nothing)
    return FOUND if result["hits"] else NOTHING


def _there(path: Path) -> Path:
    """A note or folder to search in, absolute. Raises UsageError."""
    found = Path(os.path.normpath(path.expanduser().absolute()))
    if not found.exists():
        raise UsageError(f"--in {path}: there is no such note or folder")
    return found


def _numbers(texts: tuple[str, ...]) -> dict[str, Any]:
    """Numbers of a profile, as `--tune` gives them. Raises UsageError."""
    # Imported here: a search that sets none does without the settings tree.
    from khoj_ls.config.options import options, suggestion
    from khoj_ls.config.settings import Tuning

    known = options(Tuning)
    numbers = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError(f"--tune {text}: write it as NUMBER=VALUE")
        if name not in known:
            raise UsageError(f"--tune {name}: there is no such number{suggestion(name, known)} (known: {', '.join(known)})")
        try:
            number = known[name].parse(value)
        except ValueError as error:
            raise UsageError(f"--tune {name}: {error}") from error
        numbers[name] = dict(number) if isinstance(number, Mapping) else number
    return numbers


def _nothing(connection: Connection, roots: list[Path], within: list[Path]) -> str:
    """What to say when nothing was found: perhaps there is nothing to find it in."""
    where = ", ".join(map(str, within or roots))
    vaults = [connection.call("khoj/status", {"vault": str(root)})["vaults"][0] for root in roots]
    if any(vault["files"] or vault["queue"] for vault in vaults):
        return f"nothing found in {where}"
    return f"nothing found: there are no notes in {where} (khoj-ls reads Org, Markdown and plain text)"
