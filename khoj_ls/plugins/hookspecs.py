"""The hooks a plugin may implement.

A plugin is a module or object with functions marked `@hookimpl`, named by an entry point in the group `khoj_ls`:

    [project.entry-points.khoj_ls]
    my-notes = "my_notes.khoj_plugin"
"""

from __future__ import annotations

from collections.abc import Mapping

import pluggy

from khoj_ls.core.protocols import ContentProcessor
from khoj_ls.core.slash import SlashCommand

GROUP = "khoj_ls"
"""Name of the plugin project and of the entry point group."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a function of a plugin as an implementation of the hook it is named after."""


@hookspec
def khoj_content_processors() -> list[ContentProcessor]:  # type: ignore[empty-body]  # a specification has none
    """Content processors to read more kinds of files, or the same ones in another way.

    For one file extension the processor with the highest `priority` is taken (built-ins have 0); among equals a
    plugin's goes before a built-in's. Called once, when the first vault is opened and in every parser process.
    """


@hookspec
def khoj_slash_commands() -> list[SlashCommand]:  # type: ignore[empty-body]  # as above
    """Slash commands for the chat, beside the built-in ones, whose names are taken.

    A command's `plan` gets what was asked (`core.slash.Asked`) and returns how the turn is answered (`core.slash.Plan`), before
    anything is searched or sent: at once, by a `local_answer` of its own, or by the model with an instruction. Any thread may
    call it. Called when a vault is opened.
    """


@hookspec
def khoj_personas() -> list[Mapping[str, object]]:  # type: ignore[empty-body]  # as above
    """Personas for the chat: tables with the keys of a persona's TOML file (docs/personas.md), `name` among them.

    They are checked as files are. The user's own personas may take the place of one; none may choose a `model`. Called when a
    vault is opened.
    """
