"""What a chat can choose from: who answers, which model is asked, how a message can begin."""

from __future__ import annotations

from dataclasses import replace

from khoj_ls.chat.personas.known import load_personas
from khoj_ls.chat.question.commands import BUILT_IN
from khoj_ls.vault import Vault
from khoj_ls.wire.session import Session, chat_settings_for
from khoj_ls.wire.tuning_messages import ChoicesResult, CommandChoice, ModelChoice, PersonaChoice


def chat_choices(session: Session, vault: Vault | None, profiles: ChoicesResult) -> ChoicesResult:
    """`profiles`, and what chats can choose from in a vault; without one, what there is everywhere."""
    settings = chat_settings_for(session, vault.root if vault else None)
    personas = vault.personas if vault else load_personas(session.vaults.folders.config, None).by_name
    commands = vault.commands if vault else BUILT_IN
    # Who looks at what there is for chats is about to begin one.
    session.vaults.chat_models.expect(settings.model)
    return replace(
        profiles,
        personas=[PersonaChoice(each.name, each.about, each.source, each.greeting) for each in personas.values()],
        persona=settings.persona,
        models=[
            ModelChoice(each.name, each.host, each.remote, each.card.window, each.card.vision, each.key, each.installed)
            for each in session.vaults.chat_models.listed()
        ],
        model=settings.model,
        commands=[CommandChoice(each.name, each.about, each.usage) for each in commands.values()],
    )
