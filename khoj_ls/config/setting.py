"""How one setting is declared: its default, who may set it, what it is for, and what values it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any, Literal

Scope = Literal["user", "vault", "session"]


def setting(
    default: Any,
    scope: Scope,
    doc: str,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Make a dataclass field that carries its scope, its documentation and its allowed values (numbers: least, most)."""
    metadata = {"scope": scope, "doc": doc, "choices": choices, "least": least, "most": most}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: MappingProxyType(dict(default)), metadata=metadata)
    return field(default=default, metadata=metadata)


def section(cls: type, doc: str) -> Any:
    """Make a dataclass field that holds a section of settings."""
    return field(default_factory=cls, metadata={"doc": doc})
