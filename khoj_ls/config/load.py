"""Settings from their files, each source held to its scope. A wrong key or value is told and its default stays.

What wins, weakest first: the defaults, the user's config.toml, the vault's `.khoj.toml`, the user's own table for that vault
(`[vault."/path/to/notes"]` in config.toml), `--set` on the command line, and for `session` settings the editor.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from khoj_ls.config import toml
from khoj_ls.config.chat_models import chat_problems
from khoj_ls.config.options import ROWS, Option, Rows, find, options, rows_of, sections, show, suggestion, with_values
from khoj_ls.config.paths import Folders
from khoj_ls.config.profiles import FALLS_BACK, profile_problems
from khoj_ls.config.settings import Settings
from khoj_ls.config.webhooks import NOT_HERE, WEBHOOKS, checked_webhooks
from khoj_ls.core.errors import UsageError

log = logging.getLogger(__name__)

VAULT_FILE = ".khoj.toml"
"""The settings file that travels with a vault."""

VAULT_TABLES = "vault"
"""The table of config.toml that holds one table per vault."""

LOCAL_PRESETS = ("fast", "balanced", "high_quality", "multilingual")
"""The only models a vault's own file may choose: a path could hold code, a name start a download, `remote` costs money."""

ADDED_UP = "index.private"
"""The setting whose lists add up, the vault's first: a later pattern has more to say, and what the user keeps stays private."""

HOLD_FROM_START = ("vaults", "rerank", "daemon", "plugins", "webhooks")
"""What all vaults have in common: a daemon takes it when it starts. It follows the rest while it runs."""

MAX_PROBLEMS = 20
"""After this many wrong keys a file is not read further."""

Values = Mapping[str, Any]
"""Checked values by dotted key."""

_NONE: Values = MappingProxyType({})


@dataclass(frozen=True)
class SettingsProblem:
    """Something in the settings that is not used, told to the user."""

    source: str
    """The file, `--set`, or `editor`."""
    key: str
    """Dotted key as written; empty when the whole source is meant."""
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.key}: {self.message}" if self.key else f"{self.source}: {self.message}"


@dataclass(frozen=True)
class UserSettings(Settings):
    """The user's settings, with what of them wins over a vault's own file."""

    per_vault: tuple[tuple[Path, Values], ...] = field(default=(), repr=False)
    """The user's tables for single vaults: resolved folder, values."""
    overrides: Values = field(default_factory=lambda: _NONE, repr=False)
    """What the command line said for this run."""


def load_user_settings(folders: Folders, overrides: Values = _NONE) -> tuple[UserSettings, list[SettingsProblem]]:
    """The user's settings and what was wrong with them. Never fails. `overrides` are checked values (see `assignments`)."""
    values, per_vault, problems = _read_user_file(folders.user_settings)
    carrier = UserSettings(per_vault=tuple(per_vault), overrides=MappingProxyType(dict(overrides)))
    problems += _of_tables(values, str(folders.user_settings))
    problems += _of_tables(overrides, "--set", with_values(Settings(), values))
    private = _together(values, overrides)
    return with_values(carrier, {**values, **overrides, ADDED_UP: private}), problems


def load_vault_settings(user: Settings, root: Path) -> Settings:
    """The settings of the vault at `root` (absolute) on top of the user's; problems of the vault's file go to the log.

    Raises UsageError when the command line names a search profile that neither the user nor the vault has.
    """
    values, problems = _read_vault_file(root)
    problems += _of_tables(values, str(root / VAULT_FILE), user)
    for problem in problems:
        log.warning("%s", problem)
    private = (*_together(values), *user.index.private)
    if isinstance(user, UserSettings):
        resolved = root.resolve()
        for folder, own in user.per_vault:
            if folder == resolved:
                values = {**values, **own}
                private = (*private, *_together(own))
        values = {**values, **user.overrides}
    values = {**values, ADDED_UP: private}
    found = with_values(Settings(**{item.name: getattr(user, item.name) for item in fields(Settings)}), values)
    if isinstance(user, UserSettings):
        for problem in _of_tables(user.overrides, "--set", found):
            raise UsageError(f"{problem.source} {problem.key}: {problem.message.removesuffix(FALLS_BACK)}")
    return found


def _together(*places: Values) -> tuple[str, ...]:
    """What several places say of the setting whose lists add up."""
    return tuple(pattern for values in places for pattern in values.get(ADDED_UP, ()))


def settings_problems(user_file: Path, root: Path | None = None) -> list[SettingsProblem]:
    """What is wrong with the user's file and, when `root` is given, with that vault's."""
    values, _, problems = _read_user_file(user_file)
    problems += _of_tables(values, str(user_file))
    if root:
        own, wrong = _read_vault_file(root)
        problems += wrong + _of_tables(own, str(root / VAULT_FILE), with_values(Settings(), values))
    return problems


def session_values(mapping: Mapping[str, Any]) -> tuple[Values, list[SettingsProblem]]:
    """What an editor sent, checked: session keys, nested or dotted, null means unset. Says what it left out.

    Whether what it names is there depends on the vault: see `session_table_problems`.
    """

    def allowed(option: Option, value: Any) -> str | None:
        if option.scope == "session":
            return None
        return f"an editor may not set this; run: khoj-ls config set {option.key} {_shell(value)}"

    values, problems = _checked(_without_null(mapping), "editor", allowed)
    return MappingProxyType(values), problems


def session_table_problems(values: Values, below: Settings) -> list[SettingsProblem]:
    """What is wrong with the tables (search profiles, chat presets) of an editor's `values`, on top of the settings `below`."""
    return _of_tables(values, "editor", below)


def _of_tables(values: Values, source: str, below: Settings | None = None) -> list[SettingsProblem]:
    """What is wrong with the tables of the user's own that `values` make, on top of the settings `below`."""
    if not any(key == "search.profile" or rows_of(key) for key in values):
        return []
    whole = with_values(below or Settings(), values)
    problems = [*profile_problems(whole.search), *chat_problems(whole.chat)]
    return [SettingsProblem(source, key, message) for key, message in problems if key in values]


def assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Checked values of `section.key=value` texts, as `--set` takes them. Raises UsageError."""
    known = options()
    values = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals:
            raise UsageError(f"--set {text}: write it as section.key=value")
        option = find(key)
        if option is None:
            raise UsageError(f"--set {key}: {_unknown(key, None, known)}")
        try:
            values[key] = option.parse(value.strip())
        except ValueError as error:
            raise UsageError(f"--set {key}: {error}") from error
    return values


def _read_user_file(path: Path) -> tuple[dict[str, Any], list[tuple[Path, Values]], list[SettingsProblem]]:
    try:
        tables = toml.read(path)
    except toml.TomlError as error:
        return {}, [], [SettingsProblem(str(path), "", f"{error}; the defaults are used")]
    vaults = tables.pop(VAULT_TABLES, {})
    hooks, wrong_hooks = checked_webhooks(tables.pop(WEBHOOKS, []))
    values, problems = _checked(tables, str(path), lambda option, value: None)
    problems += [SettingsProblem(str(path), key, message) for key, message in wrong_hooks]
    if hooks:
        values[WEBHOOKS] = hooks
    per_vault: list[tuple[Path, Values]] = []
    if not isinstance(vaults, dict):
        problems.append(SettingsProblem(str(path), VAULT_TABLES, 'write one table per vault: [vault."/path/to/notes"]'))
        return values, per_vault, problems
    for name, table in vaults.items():
        folder, prefix = Path(name).expanduser(), f'{VAULT_TABLES}."{name}"'
        if not isinstance(table, dict) or not folder.is_absolute():
            problems.append(SettingsProblem(str(path), prefix, 'write one table per vault: [vault."/path/to/notes"]'))
            continue
        own, wrong = _checked(table, str(path), _one_vault)
        per_vault.append((Path(os.path.realpath(folder)), own))
        problems += [SettingsProblem(item.source, f"{prefix}.{item.key}", item.message) for item in wrong]
    return values, per_vault, problems


def _read_vault_file(root: Path) -> tuple[dict[str, Any], list[SettingsProblem]]:
    path = root / VAULT_FILE

    def allowed(option: Option, value: Any) -> str | None:
        if option.scope == "user":
            return f"a vault's file may not set this; if you want it, run: khoj-ls config set {option.key} {_shell(value)}"
        if option.key == "embedding.model" and value not in LOCAL_PRESETS:
            return (
                f"a vault's file may only name a local preset ({', '.join(LOCAL_PRESETS)}); if you want this model, "
                f"run: khoj-ls config set --vault {_shell(str(root))} {option.key} {_shell(value)}"
            )
        return None

    try:
        return _checked(toml.read(path), str(path), allowed)
    except toml.TomlError as error:
        return {}, [SettingsProblem(str(path), "", f"{error}; it is left out")]


def _one_vault(option: Option, value: Any) -> str | None:
    return "this holds for all vaults: set it outside the table of a vault" if option.scope == "user" else None


def _checked(
    tables: Mapping[str, Any], source: str, refusal: Callable[[Option, Any], str | None]
) -> tuple[dict[str, Any], list[SettingsProblem]]:
    """Values of the known keys of `tables` that are well-typed and not refused, and a problem for every other key."""
    known = options()
    values: dict[str, Any] = {}
    problems: list[SettingsProblem] = []
    for key, value in _flat(tables, known):
        if len(problems) == MAX_PROBLEMS:
            problems.append(
                SettingsProblem(source, "", f"more than {MAX_PROBLEMS} wrong keys; the rest of the file is left out")
            )
            break
        option = find(key)
        if option is None:
            message = _unknown(key, value, known)
        else:
            try:
                checked = option.check(value)
            except ValueError as error:
                message = f"{error}; it is left out"
            else:
                message = refusal(option, checked) or ""
                if not message:
                    values[key] = checked
                    continue
        problems.append(SettingsProblem(source, _printable(key), message))
    return values, problems


def _unknown(key: str, value: Any, known: Iterable[str]) -> str:
    if key == WEBHOOKS:
        return NOT_HERE
    rows = rows_of(key)
    if rows is not None:
        return _unknown_in_rows(rows, key, value)
    if key in sections():
        return "this is a section, not a setting"
    if isinstance(value, Mapping):
        return f"there is no such section{suggestion(key, sections())}"
    return f"there is no such setting{suggestion(key, known)}"


def _unknown_in_rows(rows: Rows, key: str, value: Any) -> str:
    if key == rows.table:
        return f"write one table per {rows.one}: [{rows.table}.NAME]"
    name, dot, part = key.removeprefix(f"{rows.table}.").rpartition(".")
    if not dot:
        empty = isinstance(value, Mapping)
        return f"this {rows.one} sets nothing: {rows.needs}" if empty else f"write a table per {rows.one}: [{rows.table}.NAME]"
    known = [option.rpartition(".")[2] for option in rows.options(name)]
    if find(f"{rows.table}.{name}.{known[0]}") is None:
        return f"the name of a {rows.one} is made of letters, digits, - and _, at most 40 of them"
    return f"a {rows.one} has no such {rows.part}{suggestion(part, known)} (known: {', '.join(known)})"


def _flat(tables: Mapping[str, Any], known: Mapping[str, Option], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of nested tables, going down only where settings live."""
    for name, value in tables.items():
        key = f"{prefix}{name}"
        own = any(rows.table in (key, key.rpartition(".")[0]) for rows in ROWS)
        if isinstance(value, Mapping) and value and (own or any(option.startswith(f"{key}.") for option in known)):
            yield from _flat(value, known, f"{key}.")
        else:
            yield key, value


def _without_null(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_null(value) if isinstance(value, Mapping) else value
        for key, value in mapping.items()
        if value is not None
    }


def _printable(key: str) -> str:
    """A key as it may be shown: a cloned vault's file must not be able to steer a terminal."""
    return "".join(char if char.isprintable() else "?" for char in key[:80])


def _shell(value: Any) -> str:
    """`value` as one word of a shell command."""
    from shlex import quote

    return quote(value if isinstance(value, str) else show(value))
