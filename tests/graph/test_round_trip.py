"""Every note and every heading renamed to a fresh name and back: no link breaks on the way, not a byte differs at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from note_texts import TextVault

from khoj_ls.graph.definitions import definitions
from khoj_ls.graph.mend import mend
from khoj_ls.graph.rename import Subject, note_change, rename, subject_at
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.text import split_suffix

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"
MADE_UP = {
    "garden/Plum Tree.md": (
        "---\ntitle: Plum Tree\naliases: ['Prune', Zwetschge]\ntags: [fruit]\n---\n# Plum Tree\n\nA block. ^b-1\n\n"
        "## Harvest & more\n\n### Sub *one* {#cid}\n\n[[#Harvest & more]] [up](#plum-tree) [[#^b-1]]\n\n"
        "## Harvest & more\n\nSetext `head`\n---\n\n[own](Plum%20Tree.md) ![](../img/tree.png)\n"
    ),
    "start.md": (
        "# Start 🌱 here\n\n"
        "🌱 [[Plum Tree]] [[plum tree|Plum Tree]] [[Prune]] [[garden/Plum Tree#Harvest & more|x]] ![[Plum Tree#^b-1]]\n"
        "[Plum Tree](garden/Plum%20Tree.md) [a](<garden/Plum Tree.md#harvest--more> 'Plum Tree')\n"
        "[b](garden/Plum%20Tree.md#cid) [c](garden/Plum%20Tree.md#^b-1) [d](garden/Plum%20Tree.md#%5eb-1)\n"
        "[2](garden/Plum%20Tree.md#harvest--more-1) [Ref][] [text][Ref] [[Plum Tree#Harvest & more#Sub one]]\n"
        "[o](org/pflaume.org#ernte) [[pflaume]] [[Pflaume]] [[pflaume#Ernte]] [[日記/二〇二四]] #fruit\n"
        "| t |\n|---|\n| [[Plum Tree\\|tree]] |\n\n`[[Plum Tree]]`\n\n[Ref]: garden/Plum%20Tree.md#setext-head\n"
    ),
    "org/pflaume.org": (
        ":PROPERTIES:\n:ID: org-1\n:END:\n#+title: Pflaume\n#+filetags: :fruit:\n\n* TODO Ernte [1/2] :a:\n:PROPERTIES:\n"
        ":CUSTOM_ID: ernte-id\n:ID: org-2\n:END:\n"
        "<<spot>> [[*Ernte]] [[#ernte-id]] [[spot]] [[file:../garden/Plum Tree.md][Plum Tree]]\n"
        "** Unter *fett*\n[[file:../garden/Plum Tree.md::*Harvest & more][Harvest & more]] [[file:../start.md]]\n"
    ),
    "org/20240101120000-second_note.org": (
        "#+title: Second note\n[[file:pflaume.org::*Ernte][Ernte]] [[./pflaume.org::#ernte-id]] [[id:org-1][Pflaume]]\n"
        "[[id:org-2]] [[file:pflaume.org::spot]] [[roam:Pflaume]] file:pflaume.org [[Plum Tree]]\n"
        "[[file:pflaume.org::*Unter *fett*]]\n"
        "* Same\n* Same\n"
    ),
    "日記/二〇二四.md": (
        "# 二〇二四年\n\n[[../start]] [[start#Start 🌱 here]] [[/garden/Plum Tree]]\n"
        "[前](../org/20240101120000-second_note.org)\n"
    ),
    "folder/README.md": "# Folder\n\n[s](../start.md#start--here) [[Second note]]\n",
    "folder/last-word.md": "# Last word\n\n[r](README.md) [me](./last-word.md) [[last-word]] [[Last word]]\n",
}  # fmt: skip


class Vault(TextVault):
    """Notes and headings to rename; where a renamed note went is given back."""

    def states(self):
        """Every link's state; where it leads, in numbers of notes and lines, which no rename changes."""

        def question(network):
            numbers = {path: file_id for path, file_id in self.graph.ids.items()}
            return sorted(
                (
                    numbers[link.path],
                    link.link.span.line,
                    link.link.kind,
                    link.resolution.state,
                    [
                        (each.file_id or each.path, each.place.span.line if each.place else 0)
                        for each in link.resolution.targets
                    ],
                )
                for link in network.all_links()
            )

        return self.graph.ask(question)

    def rename_note(self, path, name, *, by_title):
        def question(network):
            return mend(network, self, note_change(network, self, self.read(path), name, by_title=by_title))

        return dict(self.apply(self.graph.ask(question)).moves).get(path, path)

    def rename_heading(self, path, line, name):
        def question(network):
            note = self.read(path)
            found = next(each for each in definitions(note) if each.kind == "heading" and each.line == line)
            subject = subject_at(network, self, note, note.source.rfind(b"\n", 0, found.start) + 1)
            assert isinstance(subject, Subject)
            return rename(network, self, note, subject, name)

        return dict(self.apply(self.graph.ask(question)).moves).get(path, path)


def texts_of(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.suffix in (".md", ".org")]
    return {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in sorted(paths)}


@pytest.mark.parametrize("texts", [MADE_UP, texts_of(EXAMPLES)], ids=["made-up", "examples"])
@pytest.mark.parametrize("tool", ["plain", "obsidian"])
def test_every_note_there_and_back(graph, texts, tool):
    graph.conventions = Conventions(tool)
    if tool == "obsidian":  # which knows no titles: this names the file, in another case
        texts = {path: text.replace("[[Pflaume]] ", "") for path, text in texts.items()}
    vault = Vault(graph, texts)
    before = vault.states()
    for number, path in enumerate(texts):
        title = vault.read(path).parsed.title
        names = {True: title, False: split_suffix(path)[0].rpartition("/")[2]}
        for by_title, old in names.items():
            if old is None:
                continue
            name = f"Zq {number} Fresh Name" if by_title else f"Zq-{number}-Fresh"
            moved = vault.rename_note(path, name, by_title=by_title)
            assert vault.texts != texts
            assert vault.states() == before, path
            assert vault.rename_note(moved, old, by_title=by_title) == path
            assert vault.texts == texts, path


@pytest.mark.parametrize("texts", [MADE_UP, texts_of(EXAMPLES)], ids=["made-up", "examples"])
def test_every_heading_there_and_back(graph, texts):
    vault = Vault(graph, texts)
    before = vault.states()
    renamed = 0
    for path in texts:
        for found in [each for each in definitions(vault.read(path)) if each.kind == "heading"]:
            renamed += 1
            name = f"Zq {renamed} " + (found.text if "[" in found.text else "Fresh Head")
            moved = vault.rename_heading(path, found.line, name)
            assert vault.texts != texts
            assert vault.states() == before, (path, found)
            assert vault.rename_heading(moved, found.line, found.text) == path
            assert vault.texts == texts, (path, found)
    assert renamed >= 10
