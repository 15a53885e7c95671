"""`khoj-ls config`: see and change settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import columns, echo_json, note, printable
from khoj_ls.cli.run import Run, chosen_vault, json_option, vault_option
from khoj_ls.config.edit import edit
from khoj_ls.config.load import (
    VAULT_TABLES,
    assignments,
    load_user_settings,
    load_vault_settings,
    settings_problems,
)
from khoj_ls.config.options import Option, options, sections, show, suggestion, value_of
from khoj_ls.config.paths import Folders, folders
from khoj_ls.core.errors import UsageError

_SCOPES = "Settings have a scope (user, vault, session) that says who may set them: see docs/configuration.md."


@click.group("config", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """See and change settings."""


@command.command("show")
@vault_option
@click.option("--changed", is_flag=True, help="Only what differs from the defaults.")
@json_option
@click.pass_obj
def show_settings(run: Run, vault: Path | None, changed: bool) -> int:
    """Show the settings that hold for a vault, and what is wrong in their files."""
    here, root = folders(), chosen_vault(vault)
    user, _ = load_user_settings(here, assignments(run.sets))
    settings = load_vault_settings(user, root)
    values = {key: value_of(settings, key) for key in options()}
    if changed:
        values = {key: value for key, value in values.items() if value != options()[key].default}
    problems = [str(problem) for problem in settings_problems(here.user_settings, root)]
    if run.json:
        echo_json({"vault": str(root), "settings": values, "problems": problems})
    else:
        for key, value in values.items():
            default = value == options()[key].default
            click.echo(click.style(f"{key} = {show(value)}", dim=default, bold=not default))
        for problem in problems:
            note(problem)
    return FOUND


@command.command("get")
@click.argument("key")
@vault_option
@json_option
@click.pass_obj
def get(run: Run, key: str, vault: Path | None) -> int:
    """Print the value of one setting, as it holds for a vault."""
    _known(key)
    user, _ = load_user_settings(folders(), assignments(run.sets))
    value = value_of(load_vault_settings(user, chosen_vault(vault)), key)
    if run.json:
        echo_json(value)
    else:
        click.echo(printable(value) if isinstance(value, str) else show(value))
    return FOUND


@command.command("set", help=f"Set one setting in your own file; its comments stay. {_SCOPES}")
@click.argument("key")
@click.argument("value")
@click.option("--vault", type=click.Path(path_type=Path), metavar="DIR", help="Set it for this vault only (in your own file).")
@json_option
@click.pass_obj
def set_value(run: Run, key: str, value: str, vault: Path | None) -> int:
    """Write and say what happens next."""
    option = _known(key)
    try:
        checked = option.parse(value)
    except ValueError as error:
        raise UsageError(f"{key} {error}") from error
    _write(run, option, checked, vault)
    return FOUND


@command.command("unset")
@click.argument("key")
@click.option("--vault", type=click.Path(path_type=Path), metavar="DIR", help="Take it out for this vault only.")
@json_option
@click.pass_obj
def unset(run: Run, key: str, vault: Path | None) -> int:
    """Take one setting out of your own file: the default, or a vault's own file, holds again."""
    _write(run, _known(key), None, vault)
    return FOUND


@command.command("key")
@click.argument("name")
@click.option("--delete", is_flag=True, help="Forget the key.")
def key(name: str, delete: bool) -> int:
    """Keep an API key in keys.toml, which only you can read. Asks for it, or reads it from its input.

    NAME is the variable the key would have in the environment, such as OPENAI_API_KEY; the environment wins over the file.
    """
    from khoj_ls.config.keys import Secret, store_key

    if not name.isidentifier():
        raise UsageError(f"{printable(name)} cannot be the name of a variable")
    if delete:
        path = store_key(name, None, folders())
    else:
        text = click.prompt(name, hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
        if not text.strip():
            raise UsageError(f"no key was given for {name}")
        path = store_key(name, Secret(text.strip()), folders())
    note(f"{'forgot' if delete else 'kept'} {name} in {path}")
    return FOUND


@command.command("path")
@json_option
@click.pass_obj
def path(run: Run) -> int:
    """Print where your settings, data, logs and the socket are. The first line is the settings file."""
    here = folders()
    places = _places(here)
    if run.json:
        echo_json(places)
    elif sys.stdout.isatty():
        columns(list(places.items()))
    else:
        for place in places.values():
            click.echo(place)
    return FOUND


@command.command("schema")
def schema() -> int:
    """Print the JSON schema of the settings file."""
    from khoj_ls.config.describe import schema_text

    click.echo(schema_text(), nl=False)
    return FOUND


@command.command("defaults")
def defaults() -> int:
    """Print every setting with its default and what it does, as TOML."""
    from khoj_ls.config.describe import default_toml

    click.echo(default_toml(), nl=False)
    return FOUND


def _places(here: Folders) -> dict[str, str]:
    from khoj_ls.config.keys import keys_file

    return {
        "settings": str(here.user_settings),
        "keys": str(keys_file(here)),
        "data": str(here.data),
        "models": str(here.models),
        "log": str(here.log),
        "runtime": str(here.runtime),
    }


def _known(key: str) -> Option:
    known = options()
    if key in sections():
        raise UsageError(f"{key} is a section: `khoj-ls config show` tells its settings")
    if key not in known:
        raise UsageError(f"there is no setting {printable(key)}{suggestion(key, known)}")
    return known[key]


def _write(run: Run, option: Option, value: Any, vault: Path | None) -> None:
    file = folders().user_settings
    if vault is not None and option.scope == "user":
        raise UsageError(f"{option.key} holds for all vaults: leave --vault away")
    within = [VAULT_TABLES, str(chosen_vault(vault).resolve())] if vault is not None else []
    edit(file, [*within, *option.key.split(".")], value)
    if run.json:
        echo_json({"key": option.key, "value": value, "vault": within[-1] if within else None, "file": str(file)})
        return
    done = f"{option.key} = {show(value)}" if value is not None else f"{option.key} is not set any more"
    note(f"{done} in {file}; a running daemon takes it up when it starts anew (khoj-ls daemon stop)")
