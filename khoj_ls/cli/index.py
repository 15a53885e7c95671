"""`khoj-ls index`: bring the index of a vault up to date."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.connection import connect
from khoj_ls.cli.output import columns, duration, echo_json, note, plural, printable, short_path
from khoj_ls.cli.progress import shown_progress
from khoj_ls.cli.run import Run, chosen_vault, json_option, run_options, vault_option
from khoj_ls.config.roots import find_root
from khoj_ls.core.errors import Cancelled, UsageError

_SHOWN = 20
_HELP = """Bring the index of a vault up to date.

DIR is the vault; or, beside --vault, a folder or file in it, and only that is looked at. Files that have not changed are not
read, and no text is embedded twice. What cannot be indexed is listed with the reason, and stops nothing.

\b
Examples:
  khoj-ls index                     the vault around the current folder
  khoj-ls index ~/notes --no-wait   begin, and let the daemon do the rest
  khoj-ls index --vault ~/notes ~/notes/work --force
"""


@click.command("index", help=_HELP)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@vault_option
@click.option("--wait/--no-wait", default=True, help="Return when everything is embedded (default), or once it is under way.")
@click.option("--force", is_flag=True, help="Read and parse every file again. Vectors of unchanged texts are kept.")
@click.option("--yes", is_flag=True, help="Index the home folder, or a folder that is refused for its size, all the same.")
@json_option
@run_options
@click.pass_obj
def command(run: Run, folder: Path | None, vault: Path | None, wait: bool, force: bool, yes: bool) -> int:
    """Index and report."""
    root = chosen_vault(vault or folder)
    params: dict[str, Any] = {"vault": str(root), "force": force, "wait": wait or run.in_process, "yes": yes}
    if vault and folder:
        part = Path(os.path.normpath(folder.expanduser().absolute()))
        if part != root and root not in part.parents:
            raise UsageError(f"{folder} is not in the vault {root}")
        params["paths"] = [str(part)]
    with connect(run) as connection, shown_progress() as report:
        try:
            (result,) = connection.call("khoj/reindex", params, report)
        except (Cancelled, KeyboardInterrupt):
            raise Cancelled("cancelled; what is done is kept, and the next `khoj-ls index` goes on from there") from None
    around = find_root(root)
    if around and around != root and not vault:
        note(f"{root} lies in the vault {around} and is a vault of its own now; for a part of that: --vault {around} {folder}")
    if result["vault"] != str(root.resolve()):
        note(f"{root} belongs to the vault {result['vault']}, which has one index")
    if run.json:
        echo_json(result)
    else:
        _show(result, wait=params["wait"])
    return 0


def _show(result: Mapping[str, Any], *, wait: bool) -> None:
    click.secho(printable(result["vault"]), bold=True)
    rows = [
        ("notes", f"{plural(result['files'], 'file')}, {plural(result['entries'], 'entry')}"),
        ("passages", f"{result['chunks']:,} ({result['embedded']:,} embedded now, {result['reused']:,} had their vector)"),
        ("removed", plural(result["removed"], "file")),
        ("time", duration(result["seconds"])),
    ]
    columns(rows if wait else [*rows, ("", "the daemon goes on; `khoj-ls status` shows how far it is")])
    show_problems(result)


def show_problems(vault: Mapping[str, Any]) -> None:
    """Print the `failures` and `warnings` of a vault, with the reasons; `--json` has them all."""
    failures, warnings = vault["failures"], vault["warnings"]
    _show_list(f"{plural(len(failures), 'file')} not indexed", failures)
    warned = len({warning["path"] for warning in warnings})
    _show_list(f"{plural(warned, 'file')} with {plural(len(warnings), 'warning')}", warnings)


def _show_list(title: str, problems: list[Mapping[str, Any]]) -> None:
    if not problems:
        return
    click.secho(f"  {title}:", fg="yellow")
    for problem in problems[:_SHOWN]:
        line = f":{problem['line']}" if "line" in problem else ""
        click.echo(f"    {printable(short_path(problem['path']))}{line}: {printable(problem['reason'])}")
    if len(problems) > _SHOWN:
        click.echo(f"    and {len(problems) - _SHOWN:,} more (--json lists all)")
