"""`khoj-ls related`: notes like a note, a place in it, or a text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.answer import answered
from khoj_ls.cli.connection import connect
from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.hits import result_json, show_hits
from khoj_ls.cli.output import echo_json
from khoj_ls.cli.run import Run, chosen_vault, json_option, run_options, searched_vaults, vault_around, vault_option
from khoj_ls.core.errors import UsageError

_PLACES = (
    re.compile(r"(?P<file>.+):(?P<first>\d+)(?:-(?P<last>\d+))?:?", re.DOTALL),
    re.compile(r"(?P<file>.+):(?P<first>\d+)(?P<last>):\d+:?", re.DOTALL),
)
"""file:line, file:first-last, and file:line:column; the longest name that is a file is meant."""
_HELP = """Find notes like a note, a place in it, or a text; never the note itself.

FILE:LINE compares the passage at that line, FILE:FIRST-LAST those lines, FILE alone the whole note. Places as grep and
compilers print them (file:12:5) are understood. Notes that link each other already are marked.

\b
Examples:
  khoj-ls related notes/router.md
  khoj-ls related notes/router.md:12 --limit 3
  khoj-ls related --text "bread that does not rise"
"""


@click.command("related", help=_HELP)
@click.argument("place", metavar="FILE[:LINE]", required=False)
@click.option("--text", help="Compare this text instead of a note.")
@click.option(
    "--symmetric/--asymmetric",
    default=None,
    help="Compare the text as a passage, or as a question. Default: as a passage, if it is long or has several lines.",
)
@vault_option
@click.option("--limit", type=click.IntRange(1, 100), metavar="N", help="Most results, 1 to 100. Default: 5.")
@click.option("--wait/--no-wait", default=None, help="Wait until everything is embedded (default), or for nothing.")
@json_option
@run_options
@click.pass_obj
def command(
    run: Run,
    /,
    place: str | None,
    text: str | None,
    symmetric: bool | None,
    vault: Path | None,
    limit: int | None,
    wait: bool | None,
) -> int:
    """Compare and show."""
    if (place is None) == (text is None) or not (place or text or "").strip():
        raise UsageError("name either FILE[:LINE] or --text")
    if symmetric is not None and text is None:
        raise UsageError("--symmetric and --asymmetric are about --text: what stands in a note is a passage")
    params: dict[str, Any] = {"limit": limit}
    if place is not None:
        path, lines = parse_place(place)
        params |= {"textDocument": {"uri": path.as_uri()}, **lines}
        roots = [chosen_vault(vault) if vault else vault_around(path)]
    else:
        roots = searched_vaults(vault)
        params |= {"text": text, "symmetric": symmetric, "vault": str(roots[0]) if len(roots) == 1 else None}
    with connect(run) as connection:
        result = answered(connection, "khoj/related", params, roots, wait=wait, needs_vectors=True)
    if run.json:
        echo_json(result_json(result))
    else:
        show_hits(result, "nothing related found")
    return FOUND if result["hits"] else NOTHING


def parse_place(place: str) -> tuple[Path, dict[str, Any]]:
    """The file (absolute) and the wire's `position` or `range` that `place` names. Raises UsageError."""
    whole = Path(place).expanduser().absolute()
    if whole.is_file():
        return whole, {}
    for pattern in _PLACES:
        found = pattern.fullmatch(place)
        if found and (path := Path(found["file"]).expanduser().absolute()).is_file():
            break
    else:
        if whole.is_dir():
            raise UsageError(f"{place} is a folder: name a note in it")
        raise UsageError(f"there is no file {place}" + (", nor one that it names a place in" if ":" in place else ""))
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if not 1 <= first <= last:
        raise UsageError(f"{place}: lines count from 1, and the first comes first")
    if not found["last"]:
        return path, {"position": {"line": first - 1}}
    return path, {"range": {"start": {"line": first - 1}, "end": {"line": last}}}
