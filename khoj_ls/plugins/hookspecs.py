"""The hooks a plugin may implement: what it can bring, and where it can have its say. docs/plugins.md is the manual.

A plugin is a module or object with functions marked `@hookimpl`, named by an entry point in the group `khoj_ls`

    [project.entry-points.khoj_ls]
    my-notes = "my_notes.khoj_plugin"

or a file `plugins/NAME.py` in the user's config folder.
"""

from __future__ import annotations

from collections.abc import Mapping

import pluggy

from khoj_ls.core.protocols import ContentProcessor
from khoj_ls.core.slash import SlashCommand
from khoj_ls.plugins.events import OnError, PostChat, PostIndex, PostSearch, PreChat, PreIndex, PreSearch
from khoj_ls.plugins.kinds import ChatProvider, CliVerb, EmbeddingChoice, QueryFilter, RerankerChoice

GROUP = "khoj_ls"
"""Name of the plugin project and of the entry point group."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a function of a plugin as an implementation of the hook it is named after."""

# What a plugin brings. Each returns a list, is called when a vault is opened or the thing is first wanted, and has
# `plugins.load_seconds` for it. The type: ignore of each: a specification has no body.


@hookspec
def khoj_content_processors() -> list[ContentProcessor]:  # type: ignore[empty-body]
    """Content processors to read more kinds of files, or the same ones in another way.

    For one file extension the processor with the highest `priority` is taken (built-ins have 0); among equals a
    plugin's goes before a built-in's. Called when a vault is opened and in every parser process.
    """


@hookspec
def khoj_slash_commands() -> list[SlashCommand]:  # type: ignore[empty-body]
    """Slash commands for the chat, beside the built-in ones, whose names are taken.

    A command's `plan` gets what was asked (`core.slash.Asked`) and returns how the turn is answered (`core.slash.Plan`), before
    anything is searched or sent: at once, by a `local_answer` of its own, or by the model with an instruction. Any thread may
    call it. Called when a vault is opened.
    """


@hookspec
def khoj_personas() -> list[Mapping[str, object]]:  # type: ignore[empty-body]
    """Personas for the chat: tables with the keys of a persona's TOML file (docs/personas.md), `name` among them.

    They are checked as files are. The user's own personas may take the place of one; none may choose a `model`. Called when a
    vault is opened.
    """


@hookspec
def khoj_query_filters() -> list[QueryFilter]:  # type: ignore[empty-body]
    """Filters of the query language, each written in terms of the built-in ones, whose names are taken."""


@hookspec
def khoj_embedding_models() -> list[EmbeddingChoice]:  # type: ignore[empty-body]
    """Embedding models that the setting `embedding.model` may name; the names of built-in ones are taken.

    Called when a vault is opened, and in the encoder's process, where the model is made.
    """


@hookspec
def khoj_rerankers() -> list[RerankerChoice]:  # type: ignore[empty-body]
    """Rerankers that the setting `rerank.model` may name; the names of built-in ones are taken."""


@hookspec
def khoj_chat_providers() -> list[ChatProvider]:  # type: ignore[empty-body]
    """Services or programs whose chat models are chosen as `PROVIDER/NAME`; the names of known providers are taken."""


@hookspec
def khoj_cli_verbs() -> list[CliVerb]:  # type: ignore[empty-body]
    """Verbs for `khoj-ls`; the built-in names are taken. Called when a verb is asked for that is not built in, and for help."""


# Where a plugin can have its say. Implementations are called one after the other, the highest `khoj_priority` of their plugin
# first, each with what the one before it has made of the event. A hook that raises, answers with something else or takes too
# long is passed over, told to khoj_on_error, and left out after some failures in a row (`plugins.failures`).


@hookspec
def khoj_pre_index(event: PreIndex) -> PreIndex | None:
    """A file was read and is about to be written into the index. Called in a parser process."""


@hookspec
def khoj_post_index(event: PostIndex) -> None:
    """Files were written into the index, or taken out of it. Called in the background."""


@hookspec
def khoj_pre_search(event: PreSearch) -> PreSearch | None:
    """A search is about to begin."""


@hookspec
def khoj_post_search(event: PostSearch) -> PostSearch | None:
    """Passages were found, by a search or as related notes, for the user or for a chat."""


@hookspec
def khoj_pre_chat(event: PreChat) -> PreChat | None:
    """A question of a chat is about to be answered."""


@hookspec
def khoj_post_chat(event: PostChat) -> PostChat | None:
    """An answer is there. Where a plugin has this hook, nothing of an answer is shown before it has agreed."""


@hookspec
def khoj_on_error(event: OnError) -> None:
    """Something went wrong: a hook, indexing, a search or an answer. Called in the background."""
