"""Personas: who answers, and how. Four are built in; the user's own, a plugin's and a vault's are derived from them.

The user's own stand in `personas/` of the config folder, a vault's in its `.khoj/personas/`. They are read when they are asked
for, so that a change holds from the next question on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from khoj_ls.chat.desk import Persona
from khoj_ls.chat.personas.files import PersonaFile, checked_persona, read_folder
from khoj_ls.config.load import SettingsProblem
from khoj_ls.config.options import suggestion
from khoj_ls.core.errors import SettingsError

DEFAULT = "default"
USER_FOLDER = "personas"
"""In the config folder."""
VAULT_FOLDER = ".khoj/personas"
"""In a vault."""

BUILT_IN: Mapping[str, Persona] = MappingProxyType(
    {
        persona.name: persona
        for persona in (
            Persona(
                DEFAULT,
                about="Answers from your notes, plainly.",
                prompt=(
                    "You help a person to find and understand what stands in their own notes. Answer the question first, in "
                    "the first sentence where that is possible, then give what it rests on. Prefer what the notes say to what "
                    "you know; where you add something of your own, say that it is not from the notes. Where notes contradict "
                    "each other, say so, and which is newer if that can be seen. Where they do not hold the answer, say that "
                    "instead of guessing, and name what comes nearest. Answer in the language of the question."
                ),
                tone="friendly and plain",
            ),
            Persona(
                "researcher",
                about="Thorough: findings with footnotes, connections between notes, gaps, and next steps.",
                prompt=(
                    "You are a careful research assistant who works through a person's notes with them. Weigh every passage "
                    "you are given before you conclude, and keep apart what the notes state, what follows from them, and what "
                    "you suppose. Arrange the answer in this order, leaving out a part that would be empty: the answer in "
                    "brief; the findings, each with its source; connections, where notes bear on each other and do not say so "
                    "themselves; contradictions and how strong the evidence on each side is; gaps, what one would need to "
                    "know and the notes do not hold; next steps, as concrete questions, readings or notes to write. Quote the "
                    "exact words where the wording matters. Never smooth over a disagreement between sources, and never fill "
                    "a gap with a guess. Answer in the language of the question."
                ),
                tone="precise and sober",
                style="detailed",
                citations="footnote",
                profile="broad",
                max_answer=4096,
            ),
            Persona(
                "developer",
                about="Brief and technical: code and commands first, explanations after.",
                prompt=(
                    "You are an experienced software engineer who answers a colleague from their own notes. Begin with what "
                    "solves the problem: the command, the code, the setting, the cause. Put code into fenced blocks with "
                    "their language, complete enough to run, with names, versions and paths exactly as the notes have them; "
                    "mark with a comment what must be filled in. Explain after the code, in few words, and only what is not "
                    "obvious. Say when a note looks out of date, when a command destroys something, and what you have not "
                    "seen tried. Do not invent functions, options or file names: where the notes do not say and you are not "
                    "sure, say so. Answer in the language of the question; leave code and identifiers as they are."
                ),
                tone="direct",
                style="concise",
                focus=("software", "systems", "tools"),
            ),
            Persona(
                "writer",
                about="Helps you write from your notes and keeps your voice.",
                prompt=(
                    "You help a person to write, with their notes as the material. Keep their voice: their words and terms, "
                    "the length of their sentences, their way of arguing, as the passages show them. Use their own phrasing "
                    "where it is good instead of a smoother one of yours. When you draft, write text that can stand as it is, "
                    "in the form that was asked for, without remarks around it. When you revise, change as little as the wish "
                    "needs, and say after the text, in a line or two, what you changed and why. Do not add facts, examples or "
                    "opinions that the notes do not hold; where the text needs one, leave a place for it in square brackets "
                    "with a few words on what belongs there. Answer in the language of the text, or else of the question."
                ),
                tone="warm and attentive",
            ),
        )
    }
)
"""The personas there always are, by name."""


@dataclass(frozen=True)
class Personas:
    """All personas, and what is wrong with the files they were read from."""

    by_name: Mapping[str, Persona]
    problems: tuple[SettingsProblem, ...] = ()


def load_personas(config: Path, vault_root: Path | None, more: Iterable[tuple[str, object]] = ()) -> Personas:
    """The built-in personas, those of plugins (`more`: plugin, table of keys), the user's and the vault's, as they are now.

    The user's own may take the place of a built-in one or a plugin's; a vault's takes nobody's place. Neither a plugin's nor a
    vault's chooses a model. Never fails: what cannot be used is a problem.
    """
    files: dict[str, PersonaFile] = {}
    problems: list[SettingsProblem] = []
    for plugin, table in more:
        file, wrong = _of_plugin(plugin, table)
        problems += (*wrong, *_enter([file] if file else [], files, taken=BUILT_IN.keys() | files.keys()))
    own = read_folder(config / USER_FOLDER, trusted=True)
    entered: dict[str, PersonaFile] = {}
    problems += (*own.problems, *_enter(own.files, entered, taken=frozenset()))
    files |= entered
    if vault_root is not None:
        found = read_folder(vault_root / VAULT_FOLDER, trusted=False)
        problems += (*found.problems, *_enter(found.files, files, taken=BUILT_IN.keys() | files.keys()))
    by_name = dict(BUILT_IN)
    for name, file in files.items():
        try:
            by_name[name] = _derived(files, name, ())
        except SettingsError as error:
            problems.append(SettingsProblem(file.source, "base", f"{error}; this persona is left out"))
    return Personas(MappingProxyType(by_name), tuple(problems))


def _of_plugin(plugin: str, table: object) -> tuple[PersonaFile | None, tuple[SettingsProblem, ...]]:
    source = f"plugin {plugin}"
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        return None, (SettingsProblem(source, "name", "a persona is a table of keys, its name among them; it is left out"),)
    fields = {str(key): list(value) if isinstance(value, tuple) else value for key, value in table.items()}
    return checked_persona(fields, source, "", trusted=False)


def _enter(
    files: Iterable[PersonaFile], known: dict[str, PersonaFile], *, taken: AbstractSet[str]
) -> Iterator[SettingsProblem]:
    """Enter `files` into `known`; the first of a name holds, and none whose name is `taken` is let in."""
    for file in files:
        if file.name in taken or file.name in known:
            other = known[file.name].source if file.name in known else "built-in"
            what = f"there is a persona {file.name} already ({other}); this one is left out"
            yield SettingsProblem(file.source, "name", what)
        else:
            known[file.name] = file


def _derived(files: Mapping[str, PersonaFile], name: str, above: tuple[str, ...]) -> Persona:
    """The persona called `name`; `above` are those that are derived from it. Raises SettingsError."""
    file = files.get(name)
    if file is None:
        if name not in BUILT_IN:
            known = dict.fromkeys((*BUILT_IN, *files))
            raise SettingsError(f"there is no persona {name[:40]!r}{suggestion(name, known)} (known: {', '.join(known)})")
        return BUILT_IN[name]
    base = file.base or (name if name in BUILT_IN else DEFAULT)
    if base == name and name in BUILT_IN:
        found = BUILT_IN[name]
    elif base in (*above, name):
        raise SettingsError(f"it is derived from itself ({' > '.join((*above, name, base))}): name another base")
    else:
        found = _derived(files, base, (*above, name))
    made = replace(found, **{"name": name, "source": file.source, **file.values})
    # Whose file a persona stands in decides, not whose it is derived from: a vault's must not bring a model into play.
    return made if file.trusted else replace(made, model="")
