"""`khoj-ls config`: see and change settings."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import columns, echo_json, note, printable
from khoj_ls.cli.run import Run, chosen_vault, json_option, vault_option
from khoj_ls.config.edit import edit
from khoj_ls.config.load import (
    HOLD_FROM_START,
    VAULT_TABLES,
    assignments,
    load_user_settings,
    load_vault_settings,
    settings_problems,
)
from khoj_ls.config.options import PROFILES, ROWS, Option, find, options, rows_of, sections, show, suggestion, value_of
from khoj_ls.config.paths import Folders, folders
from khoj_ls.config.profiles import chosen_profile, find_profile, profile_names
from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import SettingsError, UsageError

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
    for rows in ROWS:
        tables = value_of(settings, rows.table).items()
        values |= {f"{rows.table}.{name}.{key}": value for name, own in tables for key, value in own.items()}
    problems = [str(problem) for problem in settings_problems(here.user_settings, root)]
    if run.json:
        echo_json({"vault": str(root), "settings": _plain(values), "problems": problems})
    else:
        for key, value in values.items():
            default = key in options() and value == options()[key].default
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
    value = _value(load_vault_settings(user, chosen_vault(vault)), key)
    if run.json:
        echo_json(_plain(value))
    else:
        click.echo(printable(value) if isinstance(value, str) else show(value))
    return FOUND


@command.command("profiles")
@vault_option
@json_option
@click.pass_obj
def profiles(run: Run, vault: Path | None) -> int:
    """Show the search profiles that there are in a vault, with all their numbers. A * marks the one in use."""
    user, _ = load_user_settings(folders(), assignments(run.sets))
    search = load_vault_settings(user, chosen_vault(vault)).search
    used = chosen_profile(search, None).name
    rows, problems = [], []
    for name in profile_names(search):
        try:
            profile = find_profile(search, name)
        except SettingsError as error:
            problems.append(str(error))
            continue
        numbers = {field.name: getattr(profile.tuning, field.name) for field in fields(profile.tuning)}
        rows.append((profile, numbers))
    if run.json:
        listed = [
            {"name": profile.name, "about": profile.about, "base": profile.base, "source": profile.source}
            | {"used": profile.name == used, "numbers": _plain(numbers), "sets": list(profile.changes)}
            for profile, numbers in rows
        ]
        echo_json({"profiles": listed, "problems": problems})
        return FOUND
    for profile, numbers in rows:
        origin = f"{profile.source}, based on {profile.base}" if profile.base else profile.source
        mark = "*" if profile.name == used else " "
        about = f": {profile.about}" if profile.about else ""
        click.echo(f"{mark} {click.style(printable(profile.name), bold=True)} ({printable(origin)}){printable(about)}")
        for key, value in numbers.items():
            click.echo(click.style(f"    {key} = {show(value)}", dim=key not in profile.changes))
    for problem in problems:
        note(problem)
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
    option = find(key)
    if option is not None:
        return option
    if key in sections():
        raise UsageError(f"{key} is a section: `khoj-ls config show` tells its settings")
    rows = rows_of(key)
    name = key.removeprefix(f"{rows.table}.").partition(".")[0] if rows and key != rows.table else ""
    known = list(rows.options(name) if rows and name else options())
    raise UsageError(f"there is no setting {printable(key)}{suggestion(key, known)}")


def _value(settings: Settings, key: str) -> Any:
    """The value that holds for a setting; of a profile's number, with what the profile is based on."""
    if key in options():
        return value_of(settings, key)
    table, name, number = key.rsplit(".", 2)
    if table != PROFILES:
        own = value_of(settings, table).get(name, {})
        option = find(key)
        return own.get(number, option.default if option else None)
    profile = find_profile(settings.search, name)
    return (profile.base or "") if number == "base" else getattr(profile.tuning, number)


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it."""
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _write(run: Run, option: Option, value: Any, vault: Path | None) -> None:
    file = folders().user_settings
    if vault is not None and option.scope == "user":
        raise UsageError(f"{option.key} holds for all vaults: leave --vault away")
    within = [VAULT_TABLES, str(chosen_vault(vault).resolve())] if vault is not None else []
    edit(file, [*within, *option.key.split(".")], value)
    if run.json:
        echo_json({"key": option.key, "value": _plain(value), "vault": within[-1] if within else None, "file": str(file)})
        return
    done = f"{option.key} = {show(value)}" if value is not None else f"{option.key} is not set any more"
    section = option.key.partition(".")[0]
    when = "when it starts anew (khoj-ls daemon stop)" if section in HOLD_FROM_START else "within ten seconds"
    note(f"{done} in {file}; a running daemon takes it up {when}")
