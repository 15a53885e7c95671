"""The settings tree seen flat: one Option per dotted key, and how a value for it is checked."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

from khoj_ls.config.chat_models import MODELS, PROVIDERS, Preset, Provider
from khoj_ls.config.setting import Scope
from khoj_ls.config.settings import Settings, Tuning

S = TypeVar("S")

PROFILES = "search.profiles"
"""The table that holds one table per search profile of the user's own."""

PROFILE_NAME = "[A-Za-z0-9_-]{1,40}"
"""What a profile may be called, as a regular expression."""

_ROW_KEY = re.compile(rf"([a-z.]+)\.({PROFILE_NAME})\.\w+")


@dataclass(frozen=True)
class Option:
    """One setting."""

    key: str
    """Dotted: `search.limit`."""
    type: Any
    """bool, int, float, str, tuple[str, ...] or Mapping[str, float]."""
    default: Any
    scope: Scope
    doc: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def wants(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "a text"
        if self.type == tuple[str, ...]:
            return "a list of texts"
        kind = "a whole number" if self.type is int else "a number" if self.type is float else "a table of numbers"
        if self.least is not None and self.most is not None:
            return f"{kind} from {self.least:g} to {self.most:g}"
        return kind if self.least is None else f"{kind}, {self.least:g} or more"

    def check(self, value: Any) -> Any:
        """`value` as this setting holds it. Raises ValueError, saying what is wanted."""
        if self.type == Mapping[str, float]:
            return self._check_table(value)
        if self.type is float and type(value) is int:
            value = float(value)
        elif self.type is int and type(value) is float and value.is_integer():
            # Some editors know one kind of number only.
            value = int(value)
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            value = tuple(value)
        expected = tuple if self.type == tuple[str, ...] else self.type
        if type(value) is not expected or not self._allows(value):
            raise ValueError(f"wants {self.wants}, not {show(value)}")
        return value

    def parse(self, text: str) -> Any:
        """The value that `text` stands for on a command line: TOML, or bare words where no other reading is possible."""
        try:
            return self.check(_toml_value(text))
        except ValueError:
            if self.type is str:
                return self.check(text)
            if self.type == tuple[str, ...] and not text.lstrip().startswith(("[", '"', "'")):
                return tuple(part.strip() for part in text.split(",") if part.strip())
            raise ValueError(f"wants {self.wants}, not {text}") from None

    def _check_table(self, value: Any) -> Mapping[str, float]:
        if isinstance(value, Mapping) and all(
            isinstance(name, str) and type(number) in (int, float) and self._allows(number) for name, number in value.items()
        ):
            return MappingProxyType({name: float(number) for name, number in value.items()})
        raise ValueError(f"wants {self.wants}, such as {{ pdf = 0.9 }}, not {_shown_table(value)}")

    def _allows(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if isinstance(value, (int, float)):
            return math.isfinite(value) and not (
                (self.least is not None and value < self.least) or (self.most is not None and value > self.most)
            )
        return True


def options(cls: type = Settings, prefix: str = "") -> Mapping[str, Option]:
    """All settings below the dataclass `cls`, by dotted key, in the order of the tree."""
    found: dict[str, Option] = {}
    types = typing.get_type_hints(cls)
    for item in fields(cls):
        kind, key, notes = types[item.name], f"{prefix}{item.name}", item.metadata
        if is_dataclass(kind):
            found.update(options(typing.cast(type, kind), f"{key}."))
        elif "scope" in notes:
            default = item.default_factory() if item.default_factory is not MISSING else item.default
            found[key] = Option(
                key, kind, default, notes["scope"], notes["doc"], notes["choices"], notes["least"], notes["most"]
            )
    return found


def profile_options(name: str) -> Mapping[str, Option]:
    """What the profile `name` may set, by dotted key: its `base`, and every number of a Tuning."""
    prefix = f"{PROFILES}.{name}."
    base = Option(f"{prefix}base", str, "default", "session", "The profile whose numbers hold where this one says nothing.")
    return {base.key: base, **options(Tuning, prefix)}


@dataclass(frozen=True)
class Rows:
    """A table of the settings that holds tables of the user's own, one per name."""

    table: str
    """Its dotted key."""
    one: str
    """What one of them is called in messages."""
    part: str
    """What each of its settings is called there."""
    needs: str
    """What one that says nothing should do."""
    options: Callable[[str], Mapping[str, Option]]
    """What the one called so may set, by dotted key."""


ROWS = (
    Rows(PROFILES, "profile", "number", "name its base", profile_options),
    Rows(PROVIDERS, "service", "setting", "name its base_url", lambda name: options(Provider, f"{PROVIDERS}.{name}.")),
    Rows(MODELS, "model", "setting", "name its provider and model", lambda name: options(Preset, f"{MODELS}.{name}.")),
)


def rows_of(key: str) -> Rows | None:
    """The table of the user's own tables that a dotted key means or lies in."""
    return next((rows for rows in ROWS if key == rows.table or key.startswith(f"{rows.table}.")), None)


def find(key: str) -> Option | None:
    """The setting of a dotted key: one of the tree, or one of a table of the user's own."""
    rows, parts = rows_of(key), _ROW_KEY.fullmatch(key)
    if rows is None or parts is None or parts[1] != rows.table:
        return options().get(key)
    return rows.options(parts[2]).get(key)


def sections(cls: type = Settings) -> Mapping[str, str]:
    """The sections of the tree with what each is about."""
    types = typing.get_type_hints(cls)
    return {item.name: item.metadata["doc"] for item in fields(cls) if is_dataclass(types[item.name])}


def with_values(settings: S, values: Mapping[str, Any]) -> S:
    """`settings` with checked `values` (dotted key -> value) in their places."""
    here: dict[str, Any] = {}
    below: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        name, _, rest = key.partition(".")
        if rest:
            below.setdefault(name, {})[rest] = value
        else:
            here[name] = value
    for name, inner in below.items():
        known = getattr(settings, name)
        here[name] = _with_rows(known, inner) if isinstance(known, Mapping) else with_values(known, inner)
    return replace(settings, **here)  # type: ignore[type-var]  # a TypeVar cannot be bound to "any dataclass"


def _with_rows(tables: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Tables by name, with `values` (name.key -> value) in their places."""
    merged = {name: dict(table) for name, table in tables.items()}
    for key, value in values.items():
        name, _, inner = key.partition(".")
        merged.setdefault(name, {})[inner] = value
    return MappingProxyType({name: MappingProxyType(table) for name, table in merged.items()})


def value_of(settings: Settings, key: str) -> Any:
    """The value of one dotted key of the tree."""
    found: Any = settings
    for name in key.split("."):
        found = getattr(found, name)
    return found


def suggestion(key: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` for the known key nearest to a mistyped one, or nothing."""
    from difflib import get_close_matches

    candidates = list(known)
    key = key[:80]
    leaf = key.rpartition(".")[2]
    same_leaf = [candidate for candidate in candidates if candidate.rpartition(".")[2] == leaf]
    near = same_leaf if len(same_leaf) == 1 else get_close_matches(key, candidates, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def show(value: Any) -> str:
    """`value` as it is written in TOML, shortened where it is long."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = '"' + "".join(_escaped(char) for char in value) + '"'
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(show(item) for item in value) + "]"
    elif isinstance(value, MappingProxyType):  # a checked table of numbers; what is still to be checked is a dict
        text = (
            "{ " + ", ".join(f"{show(name)[1:-1]} = {show(number)}" for name, number in value.items()) + " }" if value else "{}"
        )
    elif isinstance(value, dict):
        text = "a section"
    else:
        text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _shown_table(value: Any) -> str:
    return show(MappingProxyType(value) if isinstance(value, Mapping) else value)


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    # Also what only some terminals obey (C1, marks that turn the direction): a vault's own file may hold it.
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def _toml_value(text: str) -> Any:
    """The TOML value that `text` spells. Raises ValueError."""
    from khoj_ls.config.toml import loads

    return loads(f"value = {text}")["value"] if "\n" not in text else text
