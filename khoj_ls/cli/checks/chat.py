"""The chat model that the settings name: whether it can be asked. No machine but this one is contacted for it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

from khoj_ls.cli.checks import Check
from khoj_ls.config.chat_models import LOCAL
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.errors import KhojError
from khoj_ls.llm.asking import connection_to, models_at
from khoj_ls.llm.catalogue import Chosen, what_is_meant
from khoj_ls.llm.connection import Connection
from khoj_ls.llm.consent import is_allowed
from khoj_ls.llm.gguf_file import find_gguf

_NAME = "chat"


def checks(here: Folders) -> Iterator[Check]:
    """The only one."""
    chat = load_user_settings(here)[0].chat
    if not chat.model:
        yield Check(
            _NAME, "ok", "no chat model is set: chats answer with the passages themselves (khoj-ls models lists models)"
        )
        return
    try:
        chosen = what_is_meant(chat, chat.model)
        yield _runs_here(here, chosen) if chosen.kind == LOCAL else _served(here, chat, chosen)
    except KhojError as error:
        yield Check(_NAME, "fail", str(error), "run: khoj-ls models, then khoj-ls config set chat.model NAME")


def _runs_here(here: Folders, chosen: Chosen) -> Check:
    path = find_gguf(chosen.name, here.chat_models)
    if importlib.util.find_spec("xllamacpp") is None:
        return Check(_NAME, "fail", f"{path} needs xllamacpp to run", "run: pip install 'khoj-ls[local]'")
    return Check(_NAME, "ok", f"{path}, run by khoj-ls itself")


def _served(here: Folders, chat: ChatSettings, chosen: Chosen) -> Check:
    connection = connection_to(chosen, os.environ, here)
    about = f"{chosen.name} at {connection.host}"
    if chosen.key_variable and not connection.key():
        key = chosen.key_variable
        return Check(_NAME, "fail", f"{about}: there is no key {key}", f"run: khoj-ls config key {key}")
    if not connection.remote:
        return _on_this_machine(connection, chosen, about)
    if not is_allowed(connection.host, chat.allowed_hosts):
        return Check(_NAME, "ok", f"{about}, not contacted; the first question asks for your yes to sending passages there")
    return Check(_NAME, "ok", f"{about}, not contacted; you allowed that passages are sent there")


def _on_this_machine(connection: Connection, chosen: Chosen, about: str) -> Check:
    ollama = chosen.kind == "ollama"
    has = models_at(connection, chosen.kind)
    if has is None:
        advice = "run: ollama serve" if ollama else f"start it, or correct {chosen.setting}"
        return Check(_NAME, "fail", f"{about}: it does not answer", advice)
    # Ollama calls `llama3.2` by its whole name, llama3.2:latest. Servers of one model answer to any name.
    if ollama and not {chosen.name, f"{chosen.name}:latest"} & {*has}:
        return Check(_NAME, "fail", f"{about}: Ollama does not have this model", f"run: ollama pull {chosen.name}")
    return Check(_NAME, "ok", f"{about}, it answers")
