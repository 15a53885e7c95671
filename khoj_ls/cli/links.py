"""`khoj-ls links`: what links to a note and from it, what names it, and what is wrong with the links of a vault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.answer import answered
from khoj_ls.cli.connection import connect
from khoj_ls.cli.errors import FOUND, NOTHING
from khoj_ls.cli.hits import path_of
from khoj_ls.cli.output import echo_json, note, printable, short_path
from khoj_ls.cli.related import parse_place
from khoj_ls.cli.run import Run, chosen_vault, json_option, run_options, searched_vaults, vault_around, vault_option
from khoj_ls.core.errors import UsageError

_MOST = 10_000
_HELP = """Show what links to a note, where its own links lead, and where it is named without a link.

FILE:LINE asks about the section at that line. Without FILE the whole vault is looked through: --broken for links that lead
nowhere or to more than one note, --orphans for notes that no other note links to, --mentions for names that are no links yet.

\b
Examples:
  khoj-ls links notes/router.md
  khoj-ls links notes/router.md:12 --json
  khoj-ls links --broken
  khoj-ls links --orphans --vault ~/notes

\b
Exit status: 0 found, 1 nothing found.
"""
_PARTS = (("incoming", "links here"), ("outgoing", "links from here"), ("mentions", "names it without a link"))


@click.command("links", help=_HELP)
@click.argument("place", metavar="[FILE[:LINE]]", required=False)
@click.option("--broken", "select", flag_value="broken", help="Links that lead nowhere, or to several notes.")
@click.option("--orphans", "select", flag_value="orphans", help="Notes that no other note links to.")
@click.option("--mentions", "select", flag_value="mentions", help="Places that name a note without linking to it.")
@vault_option
@json_option
@run_options
@click.pass_obj
def command(run: Run, place: str | None, select: str | None, vault: Path | None) -> int:
    """Ask and show."""
    if place is None and select is None:
        raise UsageError("name FILE[:LINE], or one of --broken, --orphans and --mentions")
    params: dict[str, Any] = {"limit": _MOST}
    if place is not None:
        path, lines = parse_place(place)
        position = lines.get("position") or lines.get("range", {}).get("start")
        params |= {"textDocument": {"uri": path.as_uri()}, "position": position}
        params |= {"direction": "mentions"} if select == "mentions" else {}
        roots = [chosen_vault(vault) if vault else vault_around(path)]
    else:
        roots = searched_vaults(vault)
        params |= {"select": select, "vault": str(roots[0]) if len(roots) == 1 else None}
    with connect(run) as connection:
        result = answered(connection, "khoj/links", params, roots, wait=None, needs_vectors=False)
    shown = _of_file(result, select) if place is not None else {name: result[name] for name in _asked(str(select))}
    if run.json:
        echo_json({name: [_json(each) for each in found] for name, found in shown.items()})
    else:
        _show(shown, headings=place is not None)
    for message in result["messages"]:
        note(message)
    return FOUND if any(shown.values()) else NOTHING


def _asked(select: str) -> tuple[str, ...]:
    return {"broken": ("outgoing",), "orphans": ("orphans",)}.get(select, ("mentions",))


def _of_file(result: Mapping[str, Any], select: str | None) -> dict[str, list[Any]]:
    """What is asked of one note: all of it, or only its broken links or mentions."""
    if select == "orphans":
        raise UsageError("--orphans asks about a vault: leave FILE out")
    if select == "broken":
        return {"outgoing": [link for link in result["outgoing"] if link["state"] in ("broken", "broken_anchor", "ambiguous")]}
    return {name: result[name] for name, _ in _PARTS if select is None or name == select}


def _json(found: Mapping[str, Any] | str) -> Any:
    """The documented JSON: absolute paths, 1-based inclusive lines."""
    if isinstance(found, str):
        return path_of(found)
    return {
        "path": path_of(found["uri"]),
        **_lines(found["range"]),
        **{name: found[name] for name in ("text", "kind", "target", "label", "state", "why")},
        "targets": [{"path": path_of(each["uri"]), **_lines(each["range"]), "name": each["name"]} for each in found["targets"]],
    }


def _lines(span: Mapping[str, Any] | None) -> dict[str, int | None]:
    if span is None:
        return {"line": None, "end_line": None}
    return {"line": span["start"]["line"] + 1, "end_line": span["end"]["line"]}


def _show(shown: Mapping[str, list[Any]], *, headings: bool) -> None:
    titles = dict(_PARTS)
    for name, found in shown.items():
        if headings and found:
            click.secho(f"{titles[name]} ({len(found)})", bold=True)
        for each in found:
            if isinstance(each, str):
                click.echo(click.style(printable(short_path(path_of(each))), fg="magenta"))
            else:
                _show_link(each)
    if not any(shown.values()):
        note("nothing found")


def _show_link(link: Mapping[str, Any]) -> None:
    place = click.style(printable(short_path(path_of(link["uri"]))), fg="magenta")
    about = click.style(f"({link['state'].replace('_', ' ')}{': ' if link['why'] else ''}{printable(link['why'])})", dim=True)
    leads = ", ".join(_target(each) for each in link["targets"][:3])
    click.echo(
        f"{place}:{link['range']['start']['line'] + 1}: {printable(link['target'])}{' -> ' if leads else ''}{leads} {about}"
    )
    click.echo(f"    {printable(link['text'])}")


def _target(target: Mapping[str, Any]) -> str:
    path = printable(short_path(path_of(target["uri"])))
    return path if target["range"] is None else f"{path}:{target['range']['start']['line'] + 1}"
