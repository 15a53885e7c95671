"""What the command line says that holds for every verb, and the options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from khoj_ls.config.roots import find_root
from khoj_ls.core.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Run:
    """One run of the program."""

    in_process: bool = False
    """Do the work here instead of in the daemon."""
    json: bool = False
    """Answer in JSON."""
    sets: list[str] = field(default_factory=list)
    """`section.key=value` texts of `--set`."""


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    run = context.ensure_object(Run)
    if parameter.name == "sets":
        run.sets.extend(value)
    elif value:
        setattr(run, str(parameter.name), True)


def run_options(command: Command) -> Command:
    """Add `--in-process` and `--set`, which also stand before the verb."""
    command = click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        expose_value=False,
        callback=_keep,
        help="A setting for this run only, such as search.max_per_file=1; the work is then done in this process.",
    )(command)
    return click.option(
        "--in-process",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Do the work in this process, without the daemon.",
    )(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "json", is_flag=True, expose_value=False, callback=_keep, help="Answer in JSON.")(command)


def vault_option(command: Command) -> Command:
    """Add `--vault`."""
    return click.option(
        "--vault",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder of notes. Default: the nearest folder above with .khoj.toml, .git, .obsidian, logseq/ or dendron.yml, "
        "else the current one.",
    )(command)


def chosen_vault(folder: Path | None) -> Path:
    """The vault to work on, absolute: `folder`, else the one around the current folder. Raises UsageError."""
    if folder is None:
        try:
            here = Path.cwd()
        except FileNotFoundError:
            raise UsageError("the current folder was deleted: go elsewhere or name a vault with --vault") from None
        return find_root(here) or here
    vault = folder.expanduser().absolute()
    if not vault.is_dir():
        raise UsageError(f"{folder} is {'not a folder' if vault.exists() else 'not there'}: name a folder of notes")
    return vault
