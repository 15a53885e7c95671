"""What the first screen of README promises, with the real model: questions to the example notes, and the note that answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"


@pytest.fixture(scope="module")
def vault(make_shell, tmp_path_factory):
    shell = make_shell()
    notes = tmp_path_factory.mktemp("example") / "vault"
    shutil.copytree(EXAMPLES, notes)
    shell("index", notes)
    return shell, notes


@pytest.mark.parametrize(
    ("question", "first"),
    [
        # No note holds the word "router": what the others mean decides, not where "fixed" stands.
        ("how did I fix the router", "homelab/evenings-without-wifi.md"),
        ("why is my bread flat", "kitchen/sourdough.md"),
        ("when do birds migrate at night", "research/nocturnal-migration.md"),
        ("replace the bike chain", "bike.org"),
        ("Belkin RT3200 serial", "homelab/network.md"),
        ("tag:dns unbound", "homelab/dns.org"),
    ],
)
def test_the_note_that_answers_comes_first(vault, question, first):
    shell, notes = vault
    assert shell.search(notes, question)[0][0] == first
