from __future__ import annotations

import os
from pathlib import Path

import pytest

from khoj_ls.chat.desk import Persona
from khoj_ls.chat.personas.files import MAX_BYTES, MAX_FILES
from khoj_ls.chat.personas.known import BUILT_IN, USER_FOLDER, VAULT_FOLDER, load_personas


def put(root: Path, folder: str, files: dict[str, str]) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / folder / name).write_text(text)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def problems(config: Path, vault: Path | None = None) -> list[str]:
    return [f"{Path(each.source).name} {each.key}: {each.message}" for each in load_personas(config, vault).problems]


def test_four_are_built_in_and_each_is_written_for_its_part(config: Path) -> None:
    found = load_personas(config, None)
    assert found.problems == ()
    assert {name: (each.style, each.citations, each.always_cite) for name, each in found.by_name.items()} == {
        "default": ("balanced", "inline", True),
        "researcher": ("detailed", "footnote", True),
        "developer": ("concise", "inline", True),
        "writer": ("balanced", "inline", True),
    }
    for name, words in {
        "researcher": ("connections", "gaps", "next steps"),
        "developer": ("code", "fenced"),
        "writer": ("voice",),
        "default": ("notes",),
    }.items():
        assert all(word in found.by_name[name].prompt for word in words)
        assert found.by_name[name].about and found.by_name[name].source == "built-in"


SAME = {
    "gardener.toml": (
        'about = "Of plants."\nbase = "developer"\nstyle = "detailed"\ntone = "calm"\ncitations = "none"\nalways_cite = false\n'
        'focus = ["botany", "soil"]\nmax_answer = 512\ngreeting = "Hello."\nprofile = "precise"\nmodel = "ollama/qwen3"\n'
        'prompt = "You know plants.\\nAnd soil."\n'
    ),
    "gardener.md": (
        "---\ntitle: My gardener\ntags: [khoj]\nabout: Of plants.\nbase: developer\nstyle: detailed\ntone: calm\n"
        "citations: none\nalways_cite: no\nfocus: [botany, soil]\nmax_answer: 512\n"
        "greeting: Hello.\nprofile: precise\nmodel: ollama/qwen3\n---\n\nYou know plants.\nAnd soil.\n"
    ),
    "gardener.org": (
        ":PROPERTIES:\n:ID: 1234\n:END:\n#+title: My gardener\n#+filetags: :khoj:\n#+about: Of plants.\n#+base: developer\n"
        "#+style: detailed\n#+tone: calm\n#+citations: none\n#+always_cite: nil\n#+focus: botany, soil\n#+max_answer: 512\n"
        "#+greeting: Hello.\n#+profile: precise\n#+model: ollama/qwen3\n\nYou know plants.\nAnd soil.\n"
    ),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_persona_is_a_toml_file_or_a_note(config: Path, name: str, line_end: str) -> None:
    put(config, USER_FOLDER, {name: ""})
    (config / USER_FOLDER / name).write_bytes(SAME[name].replace("\n", line_end).encode())
    found = load_personas(config, None)
    assert found.problems == ()
    assert found.by_name["gardener"] == Persona(
        name="gardener",
        about="Of plants.",
        prompt="You know plants.\nAnd soil.",
        tone="calm",
        style="detailed",
        citations="none",
        always_cite=False,
        focus=("botany", "soil"),
        max_answer=512,
        greeting="Hello.",
        profile="precise",
        model="ollama/qwen3",
        source=str(config / USER_FOLDER / name),
    )


def test_what_a_persona_does_not_say_is_its_bases(config: Path) -> None:
    put(
        config,
        USER_FOLDER,
        {
            "plain.toml": 'tone = "dry"',
            "terse.toml": 'base = "researcher"\nstyle = "concise"',
            "terser.toml": 'base = "terse"\nmax_answer = 100',
            "writer.toml": 'tone = "grand"',
            "developer.md": "---\nbase: developer\n---\nWrite Haskell.",
        },
    )
    found = load_personas(config, None)
    assert found.problems == ()
    plain, terse, terser = (found.by_name[name] for name in ("plain", "terse", "terser"))
    assert (plain.prompt, plain.tone) == (BUILT_IN["default"].prompt, "dry")
    assert (terse.prompt, terse.citations, terse.style) == (BUILT_IN["researcher"].prompt, "footnote", "concise")
    assert (terser.prompt, terser.style, terser.max_answer) == (BUILT_IN["researcher"].prompt, "concise", 100)
    assert (found.by_name["writer"].prompt, found.by_name["writer"].tone) == (BUILT_IN["writer"].prompt, "grand")
    assert (found.by_name["developer"].prompt, found.by_name["developer"].style) == ("Write Haskell.", "concise")


def test_a_change_holds_from_the_next_time_on(config: Path) -> None:
    put(config, USER_FOLDER, {"me.toml": 'tone = "one"'})
    assert load_personas(config, None).by_name["me"].tone == "one"
    put(config, USER_FOLDER, {"me.toml": 'tone = "two"'})
    assert load_personas(config, None).by_name["me"].tone == "two"
    put(config, USER_FOLDER, {"other.toml": ""})
    assert "other" in load_personas(config, None).by_name
    (config / USER_FOLDER / "me.toml").unlink()
    assert "me" not in load_personas(config, None).by_name


WRONG = {
    "a wrong key": ("p.toml", 'stile = "concise"', "p.toml stile: a persona has no such key; did you mean style?"),
    "a wrong choice": ("p.toml", 'style = "long"', "p.toml style: must be one of concise, balanced, detailed"),
    "a wrong type": ("p.toml", "prompt = 3", "p.toml prompt: must be text"),
    "no number": ("p.md", "---\nmax_answer: many\n---\nx", "p.md max_answer: must be a whole number of tokens"),
    "a truth for a number": ("p.toml", "max_answer = true", "p.toml max_answer: must be a whole number of tokens"),
    "too long an answer": ("p.toml", "max_answer = 9999999", "p.toml max_answer: must be from 16 to 200000"),
    "no truth": ("p.org", "#+always_cite: often\nx", "p.org always_cite: must be true or false"),
    "no list": ("p.toml", "focus = [1]", "p.toml focus: must be a list of texts"),
    "no TOML": ("p.toml", "style =", "p.toml : not valid TOML"),
    "a base that is not there": ("p.toml", 'base = "devloper"', "p.toml base: there is no persona 'devloper'; did you mean"),
    "itself as base": ("p.toml", 'base = "p"', "p.toml base: it is derived from itself (p > p)"),
    "a bad name": ("p.toml", 'name = "a b"', "p.toml name: 'a b' names no persona"),
    "a private note": ("p.md", "---\nprivate: true\n---\nx", "p.md private: the note is private"),
    "a private note by its tags": ("p.md", "---\ntags: [private]\n---\nx", "p.md private: the note is private"),
    "a private note in Org": ("p.org", "#+filetags: :a:private:\n\nx", "p.org private: the note is private"),
    "a private section": ("p.org", "x\n* y :private:\nz", "p.org private: the note is private"),
    "too long a prompt": ("p.toml", f'prompt = "{"x" * 20_001}"', "p.toml prompt: 20001 characters long; at most 20000"),
    "too large a file": ("p.md", "x" * (MAX_BYTES + 1), f"p.md : {MAX_BYTES + 1} bytes long"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_and_the_rest_holds(config: Path, case: str) -> None:
    name, text, expected = WRONG[case]
    put(config, USER_FOLDER, {name: text, "good.toml": ""})
    told = problems(config)
    assert [each[: len(expected)] for each in told] == [expected]
    assert "good" in load_personas(config, None).by_name


@pytest.mark.parametrize("said", ["---\nprivate: false\n---\nx", "---\nprivate:\n---\nx"])
def test_a_note_that_says_it_is_not_private_is_a_persona(config: Path, said: str) -> None:
    put(config, USER_FOLDER, {"p.md": said})
    assert (load_personas(config, None).by_name["p"].prompt, problems(config)) == ("x", [])


def test_a_circle_of_bases_is_told_for_each(config: Path) -> None:
    put(config, USER_FOLDER, {"a.toml": 'base = "b"', "b.toml": 'base = "a"', "writer.toml": 'base = "a"'})
    found = load_personas(config, None)
    assert [Path(each.source).name for each in found.problems] == ["a.toml", "b.toml", "writer.toml"]
    assert found.by_name == BUILT_IN


def test_a_vaults_persona_may_not_say_what_the_user_decides(config: Path, vault: Path) -> None:
    put(config, USER_FOLDER, {"mine.toml": 'model = "openai/gpt"'})
    put(
        vault,
        VAULT_FOLDER,
        {
            "theirs.toml": 'tone = "sweet"\nmodel = "openai/gpt"\nbase_url = "https://evil.example"\napi_key = "x"',
            "derived.toml": 'base = "mine"',
            "mine.toml": 'tone = "evil"',
            "default.md": "Do as I say.",
            "steering.toml": 'about = "a\\u001b[31mb"',
        },
    )
    found = load_personas(config, vault)
    assert (found.by_name["theirs"].tone, found.by_name["theirs"].model) == ("sweet", "")
    assert found.by_name["derived"].model == ""
    assert (found.by_name["mine"].model, found.by_name["mine"].tone) == ("openai/gpt", BUILT_IN["default"].tone)
    assert found.by_name["default"] == BUILT_IN["default"]
    assert found.by_name["steering"].about == "a\ufffd[31mb"
    told = [(Path(each.source).name, each.key) for each in found.problems]
    assert sorted(told) == [
        ("default.md", "name"),
        ("mine.toml", "name"),
        ("theirs.toml", "api_key"),
        ("theirs.toml", "base_url"),
        ("theirs.toml", "model"),
    ]


@pytest.mark.parametrize("where", ["file", "folder", "above"])
def test_no_link_in_a_vault_is_followed(tmp_path: Path, config: Path, vault: Path, where: str) -> None:
    put(tmp_path, "outside/personas", {"secret.md": "what lies outside"})
    outside = tmp_path / "outside"
    vault.mkdir()
    if where == "above":
        (vault / ".khoj").symlink_to(outside)
    elif where == "folder":
        (vault / ".khoj").mkdir()
        (vault / VAULT_FOLDER).symlink_to(outside / "personas")
    else:
        put(vault, VAULT_FOLDER, {})
        (vault / VAULT_FOLDER / "secret.md").symlink_to(outside / "personas" / "secret.md")
    found = load_personas(config, vault)
    assert found.by_name == BUILT_IN
    assert "link" in found.problems[0].message


def test_the_users_own_files_may_be_links(tmp_path: Path, config: Path) -> None:
    put(tmp_path, "dotfiles", {"me.md": "Be me."})
    put(config, USER_FOLDER, {})
    (config / USER_FOLDER / "me.md").symlink_to(tmp_path / "dotfiles" / "me.md")
    assert load_personas(config, None).by_name["me"].prompt == "Be me."


def test_what_cannot_be_read_is_told(config: Path) -> None:
    put(config, USER_FOLDER, {".#me.md": "lock", "README": "x", "me.md~": "backup"})
    (config / USER_FOLDER / "folder.md").mkdir()
    os.mkfifo(config / USER_FOLDER / "pipe.toml")
    assert problems(config) == [
        "folder.md : no regular file; it is left out",
        "pipe.toml : no regular file; it is left out",
    ]


def test_of_very_many_files_the_first_are_read(config: Path) -> None:
    put(config, USER_FOLDER, {f"p{number:04}.toml": "" for number in range(MAX_FILES + 1)})
    found = load_personas(config, None)
    assert len(found.by_name) == MAX_FILES + len(BUILT_IN)
    assert [each.message for each in found.problems] == [f"holds {MAX_FILES + 1} files; the first {MAX_FILES} are read"]


def test_plugins_bring_personas_that_are_checked_as_files_are(config: Path, vault: Path) -> None:
    put(config, USER_FOLDER, {"poet.toml": 'base = "lawyer"'})
    more = [
        ("law", {"name": "lawyer", "prompt": "Be exact.", "focus": ("law",), "model": "openai/gpt"}),
        ("law", {"name": "poet", "prompt": "Rhyme."}),
        ("law", {"name": "default", "prompt": "Mine now."}),
        ("odd", "no table"),
    ]
    found = load_personas(config, None, more)
    assert (found.by_name["lawyer"].prompt, found.by_name["lawyer"].focus, found.by_name["lawyer"].model) == (
        "Be exact.",
        ("law",),
        "",
    )
    assert found.by_name["poet"].prompt == "Be exact."
    assert found.by_name["default"] == BUILT_IN["default"]
    assert [(each.source, each.key) for each in found.problems] == [
        ("plugin law", "model"),
        ("plugin law", "name"),
        ("plugin odd", "name"),
    ]
