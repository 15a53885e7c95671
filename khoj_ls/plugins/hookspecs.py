"""The hooks a plugin may implement.

A plugin is a module or object with functions marked `@hookimpl`, named by an entry point in the group `khoj_ls`:

    [project.entry-points.khoj_ls]
    my-notes = "my_notes.khoj_plugin"
"""

from __future__ import annotations

import pluggy

from khoj_ls.core.protocols import ContentProcessor

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
