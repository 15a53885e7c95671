"""docs/plugins.md says what is so: its examples are run as they stand there, in a vault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from waiting import wait_until

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.plugins.brought import brought
from khoj_ls.plugins.kinds import CliVerb
from khoj_ls.search.types import RelatedRequest, SearchRequest

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text()
EXAMPLES = dict(re.findall(r"```python\n# plugins/(\w+)\.py: [^\n]*\n(.*?)```", PAGE, re.S))

RECIPES = """\
title: Pancakes of Zanzibar
from aunt Amina
== Batter
two eggs, flour and cardamom
== Topping
coconut
"""


def test_the_format_of_the_page_is_read_to_the_line(notebook) -> None:
    book = notebook({"pancakes.recipe": RECIPES, "note.md": "# Spices\ncardamom grows there\n"}, recipes=EXAMPLES["recipes"])
    assert book.lines("cardamom type:recipe") == ["pancakes.recipe:4"]
    assert book.lines("coconut heading:topping") == ["pancakes.recipe:6"]
    assert book.lines('title:"Pancakes of Zanzibar" aunt') == ["pancakes.recipe:1"]
    assert len([line for line in EXAMPLES["recipes"].splitlines() if line.strip()]) <= 20


def test_the_hook_of_the_page_hides_what_is_sensitive(notebook) -> None:
    notes = {
        "money.md": "---\ntags: [sensitive]\n---\n# Harbour account\nThe harbour money is in Zug.\n",
        "plan.md": "# Harbour plan\nThe harbour plan is open.\n\n# Harbour names #sensitive\nThe harbour names.\n",
    }
    book = notebook(notes, discreet=EXAMPLES["discreet"])
    assert book.lines("harbour") == ["plan.md:1"]
    related = book.vault.related(RelatedRequest(path=None, text="harbour money plan names"))
    assert [hit.path for hit in related.hits] == ["plan.md"]


def test_what_is_hidden_makes_room_for_others(notebook) -> None:
    notes = {f"s{at}.md": "---\ntags: sensitive\n---\n# Harbour harbour harbour\n" for at in range(8)}
    open_notes = {f"o{at}.md": f"# Note {at}\nA long text that names the harbour once.\n" for at in range(5)}
    book = notebook(notes | open_notes, discreet=EXAMPLES["discreet"])
    found = book.found("harbour", limit=4)
    assert (len(found), [path for path in found if path.startswith("s")]) == (4, [])


def test_the_filter_and_the_verb_of_the_page_work(notebook, capsys: pytest.CaptureFixture[str]) -> None:
    read = "* DONE {} :book:\nCLOSED: [{}]\nwhale\n".format
    book = notebook(
        {"books.org": read("Moby-Dick", "2024-05-01 Wed") + read("Emma", "2023-05-01 Mon")}, reading=EXAMPLES["reading"]
    )
    assert book.lines("whale read:2024") == ["books.org:3"]
    verbs = brought(book.vaults.plugins, "khoj_cli_verbs", CliVerb, ()).by_name
    assert (verbs["shelf"].run(()), capsys.readouterr().out) == (None, "books.org\n")


def test_the_embedding_model_of_the_page_finds_what_is_spelled_alike(notebook) -> None:
    notes = {"boat.md": "# Sail\nThe harbour master waves.\n", "car.md": "# Motor\nA garage in Zug.\n"}
    book = notebook(notes, embedding=EmbeddingSettings(model="trigrams"), trigrams=EXAMPLES["trigrams"])
    wait_until(lambda: not book.vault.busy, "the notes were embedded")
    assert [hit.path for hit in book.vault.search(SearchRequest("harbourmaster", mode="dense")).hits][:1] == ["boat.md"]


def test_all_examples_are_run() -> None:
    assert EXAMPLES.keys() == {"recipes", "discreet", "reading", "trigrams"}
