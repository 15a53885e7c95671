"""Editors at once on one vault, set up by editors/others: one daemon, index and model, and what one saves the others have."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from editor_desk import TOP
from ordered_editors import Client, Scripted
from waiting import wait_until

HERE = Path(__file__).parent / "several"
OTHERS = TOP / "editors" / "others"
SUBJECTS = {
    "eglot": ("bees", "# Bees\n\nThe colony went into winter with fifteen kilograms of honey.\n",
              "Varroa mites: oxalic acid was trickled between the combs of the beehive."),
    "lsp-mode": ("oven", "# Oven\n\nThe masonry oven holds its heat until the next morning.\n",
                 "The firebricks of the bread oven cracked; fireproof mortar fills the gaps."),
    "nvim": ("sloop", "# Sloop\n\nThe mast was stepped on Saturday and the rigging tuned.\n",
             "The mainsail tore along the boom while sailing; the sailmaker patches it."),
    "client": ("pension", "# Pension\n\nThe insurance office wants the years of contributions confirmed.\n",
               "The retirement fund recognises the years at university as insured."),
}  # fmt: skip
"""By who saves: a note that is there, its text, and what is saved in another."""
VIEWS = ("eglot", "lsp-mode", "nvim")
"""Those with a window of related notes, which is open before another saves and is not asked for again."""


@pytest.fixture(scope="module")
def editors(desk, emacs, nvim):
    """Four of them, each with a program and a connection of its own."""
    for number, (name, text, _) in enumerate(SUBJECTS.values()):
        (desk.notes / f"{name}.md").write_text(text)
        (desk.notes / f"log-{number}.md").write_text(f"# Log {number}\n\n")
    desk.khoj("index", desk.notes)
    emacs_command = [emacs, "--batch", "-f", "package-initialize", "-L", TOP / "editors" / "emacs", "-l", HERE / "editor.el"]
    nvim_command = [nvim, "--headless", "-u", "NONE", "-i", "NONE", "-l", HERE / "editor.lua"]

    def scripted(command: list, snippet: str) -> Scripted:
        environment = {
            **desk.environment,
            "NOTES": str(desk.notes),
            "SNIPPET": str(OTHERS / snippet),
            "PLUGIN": str(TOP / "editors" / "nvim"),
        }
        return Scripted(command, desk.notes, environment)

    with (
        closing(scripted(emacs_command, "emacs/eglot.el")) as eglot,
        closing(scripted(emacs_command, "emacs/lsp-mode.el")) as lsp_mode,
        closing(scripted(nvim_command, "nvim/init.lua")) as neovim,
        closing(Client(desk.notes, desk.environment)) as client,
    ):
        yield {"eglot": eglot, "lsp-mode": lsp_mode, "nvim": neovim, "client": client}


def processes(desk) -> list[str]:
    """The modules that run at this desk, by the name of the program's main module."""
    found = []
    for each in psutil.process_iter():
        try:
            if each.environ().get("KHOJ_LS_HOME") == str(desk.home) and "-m" in (line := each.cmdline()):
                found.append(line[line.index("-m") + 1])
        except psutil.Error:  # ended meanwhile, or not ours
            continue
    return sorted(found)


@pytest.mark.parametrize("name", SUBJECTS)
def test_each_has_its_hover(editors, name):
    assert "**2 links here**" in editors[name].do("open", note="running/half-marathon-2024.md")


def test_there_is_one_daemon_with_one_index_and_one_model(desk, editors):
    for editor in editors.values():
        editor.do("open", note="bees.md")
        assert "bees.md" in editor.do("search", query="insects that make honey")
    status = json.loads(desk.khoj("status", "--json"))
    assert status["daemon"]["sessions"] >= len(editors)
    assert [vault["root"] for vault in status["vaults"]] == [str(desk.notes)]
    running = processes(desk)
    assert (running.count("khoj_ls.daemon.run"), running.count("khoj_ls.embed.worker")) == (1, 1)
    databases = [path for path in (desk.home / "data").rglob("*.db") if "conversations" not in path.name]
    assert len(databases) == 1


@pytest.mark.parametrize("saver", SUBJECTS)
def test_what_one_saves_the_others_have(editors, saver):
    subject, _, text = SUBJECTS[saver]
    number = list(SUBJECTS).index(saver)
    news = f"log-{number}.md"  # neither its name nor its title says what it is about
    others = {name: editor for name, editor in editors.items() if name != saver}
    for name, editor in others.items():
        assert news not in editor.do("related", note=f"{subject}.md")
        if name in VIEWS:
            editor.do("view", note=f"{subject}.md")
    editors[saver].do("save", note=news, text=text + "\n")
    for name, editor in others.items():
        wait_until(lambda asked=editor: news in asked.do("related", note=f"{subject}.md"), f"{news} in {name}")
        assert editor.do("search", query=text)[0] == news
        if name in VIEWS:
            wait_until(lambda at=editor: f"Log {number}" in at.do("view", note=f"{subject}.md"), f"{news} beside {name}")
