"""What a chat in a vault works with, put together: its notes, its search, its conversations, the personas and commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from khoj_ls.chat.desk import ChatDesk, Models, Persona
from khoj_ls.chat.notes.indexed import IndexedNotes
from khoj_ls.chat.personas.known import load_personas
from khoj_ls.chat.question.commands import with_commands
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import ChatModel, Message
from khoj_ls.core.errors import UsageError

if TYPE_CHECKING:
    from khoj_ls.vault.vault import Vault


class NoModels:
    """The chat models (`chat.desk.Models`) where there are none: answers are excerpts."""

    def choose(self, name: str, base_url: str | None = None) -> ChatModel | None:
        """None. Raises UsageError for a name."""
        if name and name != "none":
            raise UsageError(f"there is no chat model {name} here: open the vault through OpenVaults")
        return None

    def check_consent(self, model: ChatModel, messages: Sequence[Message], answer: int) -> None:
        """Nothing is sent."""


def lay_desk(vault: Vault, notes: IndexedNotes, config: Path, models: Models, settings: ChatSettings) -> ChatDesk:
    """The desk of a vault's chats; what plugins bring is asked for now, files of personas whenever they are wanted."""
    plugins = vault.plugins
    commands, _ = with_commands(plugins.collect("khoj_slash_commands")[0])
    more = plugins.collect("khoj_personas")[0]

    def personas() -> Mapping[str, Persona]:
        return load_personas(config, vault.root, more).by_name

    return ChatDesk(
        settings=settings,
        search_settings=vault.settings.search,
        search=vault.search,
        notes=notes,
        conversations=vault.conversations,
        models=models,
        personas=personas,
        commands=commands,
        neighbours=notes.neighbours,
        hooks=plugins.hooks,
        filters=vault.query_filters,
        root=vault.root,
    )
