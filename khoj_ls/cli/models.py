"""`khoj-ls models`: the chat models there are, which can be used now, and which one is set."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import echo_json, note, printable
from khoj_ls.cli.run import Run, json_option, run_options

if TYPE_CHECKING:
    from khoj_ls.llm.models import Listed

_HELP = """List the chat models that you can ask.

Your own presets, the models that are known, and what the services of this machine have: Ollama, LM Studio, vLLM, llama.cpp, and
the GGUF files that khoj-ls runs itself. Services of this machine are asked what they have; no other machine is contacted. A *
marks the model that is set.

\b
Examples:
  khoj-ls models
  khoj-ls models --usable
  khoj-ls config set chat.model ollama/llama3.2
  khoj-ls chat --model anthropic/claude-haiku-4-5 "what did we decide"
"""
_STATES = (("usable", "green"), ("key missing", "yellow"), ("not there", "yellow"))


@click.command("models", help=_HELP)
@click.option("--usable", is_flag=True, help="Only models that can be asked now.")
@json_option
@run_options
@click.pass_obj
def command(run: Run, usable: bool) -> int:
    """Look and show."""
    # Imported here: the help needs none of it.
    from khoj_ls.config.load import assignments, load_user_settings
    from khoj_ls.config.paths import folders
    from khoj_ls.llm.models import ChatModels
    from khoj_ls.plugins.manager import load_plugins

    here = folders()
    settings, _ = load_user_settings(here, assignments(run.sets))
    plugins = load_plugins(here, settings.plugins, settings.vaults)
    models = ChatModels(lambda: settings.chat, here, os.environ, settings.daemon.nice, plugins)
    try:
        listed = [each for each in models.listed() if not usable or _state(each) == "usable"]
    finally:
        models.close()
    chosen = settings.chat.model
    if run.json:
        echo_json({"model": chosen, "models": [_json(each, chosen) for each in listed]})
        return FOUND
    _show(listed, chosen)
    for line in _how(listed, chosen, str(here.chat_models)):
        note(line)
    return FOUND


def _state(model: Listed) -> str:
    """Whether it can be asked now, as far as that can be told without asking another machine."""
    if model.key == "missing" and model.remote:
        return "key missing"
    if model.installed is not None:
        return "usable" if model.installed else "not there"
    return "usable" if model.remote else "not there"


def _json(model: Listed, chosen: str) -> dict[str, Any]:
    card, state = model.card, _state(model)
    price = {"input": card.price.input, "output": card.price.output} if card.price else None
    told = {"name": model.name, "provider": card.provider, "model": card.name, "host": model.host, "remote": model.remote}
    told |= {"window": card.window, "max_answer": card.max_answer, "vision": card.vision, "price": price}
    return told | {"usable": state == "usable", "state": state, "chosen": model.name == chosen}


def _show(listed: list[Listed], chosen: str) -> None:
    width = max((len(model.name) for model in listed), default=0)
    provider = None
    for model in listed:
        if model.card.provider != provider:
            provider = model.card.provider
            click.echo(f"{click.style(printable(provider), bold=True)} ({printable(model.host or 'this program')})")
        state = _state(model)
        mark = "*" if model.name == chosen else " "
        told = click.style(state.ljust(11), fg=dict(_STATES)[state])
        click.echo(f"{mark} {printable(model.name).ljust(width)}  {told}  {', '.join(_facts(model))}")


def _facts(model: Listed) -> Iterator[str]:
    card = model.card
    yield f"{card.window:,} tokens"
    if card.vision:
        yield "sees pictures"
    if card.price:
        yield f"${card.price.input:g} / ${card.price.output:g} per million tokens read / written"


def _how(listed: list[Listed], chosen: str, folder: str) -> Iterator[str]:
    """What to do next."""
    if chosen and all(model.name != chosen for model in listed):
        yield f"chat.model is {chosen}, which is not in this list"
    if not chosen:
        yield "no model is set: khoj-ls chat answers with the passages themselves"
    yield "to set one: khoj-ls config set chat.model PROVIDER/NAME"
    if any(_state(model) == "key missing" for model in listed):
        yield "to add a key: khoj-ls config key OPENAI_API_KEY (ANTHROPIC_API_KEY, GEMINI_API_KEY)"
    if not any(model.installed for model in listed):
        yield f"nothing runs on this machine: start Ollama (ollama pull llama3.2), or put a .gguf file into {folder}"
