"""What `doctor` looks at. A check says what it found and, where something is missing, what to do; it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    state: State
    """ok; warn: works, but something is left out; fail: something does not work."""
    message: str
    advice: str = ""
    """What to do."""


def all_checks(root: Path) -> Iterator[Check]:
    """Every check of this installation, this user and the vault at `root`."""
    from khoj_ls.cli.checks import chat, installation, model, personas, process, storage, webhooks
    from khoj_ls.config.paths import folders

    here = folders()
    yield from installation.checks()
    yield from model.checks(here, root)
    yield from chat.checks(here)
    yield from personas.checks(here, root)
    yield from webhooks.checks(here)
    yield from storage.checks(here, root)
    yield from process.checks(root)
