"""What the command line says that holds for every verb, and the options that several verbs share."""

from __future__ import annotations

import os
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
        help="Folder of notes. Default: the nearest folder at or above the current one with .khoj.toml, .git, .obsidian, "
        "logseq/ or dendron.yml, else the current one.",
    )(command)


def chosen_vault(folder: Path | None) -> Path:
    """The vault to work on, absolute: `folder`, else the one around the current folder, else that folder. Raises UsageError."""
    if folder is None:
        here = _current_folder()
        return find_root(here) or _listed_around(here) or here
    vault = Path(os.path.normpath(folder.expanduser().absolute()))
    if not vault.is_dir():
        raise UsageError(f"{folder} is {'not a folder' if vault.exists() else 'not there'}: name a folder of notes")
    return vault


def searched_vaults(folder: Path | None) -> list[Path]:
    """The vaults to search: as `chosen_vault`, but outside of any vault all those that the user's settings list."""
    if folder is None:
        here = _current_folder()
        if find_root(here) is None and _listed_around(here) is None:
            return _listed() or [here]
    return [chosen_vault(folder)]


def vault_around(file: Path) -> Path:
    """The vault of a file (absolute): one that there is, else the current folder around it, else its own."""
    return present_vault_around(file) or file.parent


def present_vault_around(file: Path) -> Path | None:
    """The vault that a file (absolute) lies in: by markers, by the user's list, by having an index, or the current folder."""
    found = find_root(file.parent) or _listed_around(file) or _indexed_around(file)
    if found is None:
        here = _current_folder()
        found = here if here in file.parents else None
    return found


def _indexed_around(file: Path) -> Path | None:
    from khoj_ls.config.paths import folders

    here, parent = folders(), file.parent.resolve()
    return next((above for above in (parent, *parent.parents) if (here.vault(above) / "index.db").exists()), None)


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder was deleted: go elsewhere or name a vault with --vault") from None


def _listed_around(folder: Path) -> Path | None:
    folder = folder.resolve()
    around = [vault for vault in _listed() if vault == folder or vault in folder.parents]
    return max(around, key=lambda vault: len(vault.parts), default=None)


def _listed() -> list[Path]:
    """The vaults of the user's settings that are there."""
    # Imported here: within a vault that carries a marker nobody needs the settings.
    from khoj_ls.config.load import load_user_settings
    from khoj_ls.config.paths import folders

    listed = (Path(vault).expanduser() for vault in load_user_settings(folders())[0].vaults)
    return [vault.resolve() for vault in listed if vault.is_absolute() and vault.is_dir()]
