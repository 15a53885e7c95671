"""Importing plugins: tried in a process of their own first, so that one that hangs, crashes or exits takes nothing with it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import msgspec

from khoj_ls.plugins.found import GROUP, Found
from khoj_ls.plugins.limits import PluginFault, within
from khoj_ls.workers.child import Child, ChildGone

log = logging.getLogger(__name__)

_MODULE = "khoj_ls.plugins.probe"
_START_SECONDS = 30.0


class Tried(msgspec.Struct, frozen=True):
    """What came of importing a plugin; an empty error: it can be."""

    error: str = ""


def import_plugin(found: Found) -> object:
    """The module or object of a plugin. Raises whatever its code raises, and may never return."""
    if found.kind == "installed":
        return EntryPoint(found.name, found.reference, GROUP).load()
    path = Path(found.reference)
    # Compiled here, and not by the import system: no __pycache__ among the user's settings.
    code = compile(path.read_bytes(), found.reference, "exec")
    module = ModuleType(f"khoj_ls_own_plugins.{found.name}")
    module.__file__ = found.reference
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module  # dataclasses of the module look for it there
    try:
        exec(code, module.__dict__)
    except BaseException:  # whatever it was: a module that is half there is none. It is raised again
        if before is None:
            del sys.modules[module.__name__]
        else:
            sys.modules[module.__name__] = before
        raise
    return module


def load(found: Found, seconds: float) -> object:
    """The module or object of a plugin. Raises PluginFault, also after `seconds`."""
    return within(seconds, lambda: import_plugin(found), f"khoj-load-{found.name}")


def tried_apart(plugins: Sequence[Found], seconds: float) -> dict[str, str]:
    """What is wrong with those of the `plugins` that cannot be imported in a process of their own, by name.

    `seconds` are for each. Where no process can be started nothing is known to be wrong.
    """
    wrong: dict[str, str] = {}
    child: Child | None = None
    try:
        for each in plugins:
            child = child or _started()
            if error := _try(child, each, seconds):
                wrong[each.name] = error
                if not child.alive:
                    child.close()
                    child = None
    except (OSError, ChildGone) as error:
        log.warning("plugins cannot be tried in a process of their own: %s", error)
    finally:
        if child:
            child.close()
    return wrong


def _started() -> Child:
    child = Child(_MODULE)
    child.receive(_START_SECONDS)
    return child


def _try(child: Child, found: Found, seconds: float) -> str:
    begun = time.monotonic()
    try:
        child.send(found)
        return msgspec.msgpack.decode(child.receive(seconds), type=Tried).error
    except (ChildGone, PluginFault) as error:
        child.kill()
        if time.monotonic() - begun >= seconds:
            return f"it was not imported within {seconds:g} s (plugins.load_seconds)"
        return f"it ended the process that imported it ({error})"
