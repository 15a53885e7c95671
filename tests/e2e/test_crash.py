"""Nothing is done twice and nothing is lost: kills, restarts, renames, edits, copies, and two shells at once."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

PATIENCE = 120.0
WORDS = (
    "anchor",
    "barley",
    "candle",
    "dune",
    "ember",
    "fjord",
    "granite",
    "harbour",
    "island",
    "juniper",
    "kestrel",
    "lantern",
    "meadow",
    "nettle",
    "otter",
    "pebble",
    "quarry",
    "river",
    "saddle",
    "thistle",
    "umber",
    "valley",
    "willow",
    "yarrow",
    "zephyr",
)
NOTES, SECTIONS = 150, 2


def prose(seed: int, count: int = 100) -> str:
    """Words in an order that no other seed has."""
    return " ".join(random.Random(seed).choices(WORDS, k=count)).capitalize() + "."


@pytest.fixture(scope="module")
def vault(shell):
    """Notes enough to be killed among."""
    return shell.vault(
        "notes",
        {
            f"old/{note}.md": "".join(
                f"# Part {note} {part}\n\n{prose(note * SECTIONS + part)}\n\n" for part in range(SECTIONS)
            )
            for note in range(NOTES)
        },
    )


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_killed_daemon_repeats_nothing(shell, vault):
    shell("index", "--no-wait", vault)
    deadline = time.monotonic() + PATIENCE
    while not (status := shell("status"))["vaults"] or status["vaults"][0]["embedded"] <= 20:
        assert time.monotonic() < deadline
    os.kill(status["daemon"]["pid"], signal.SIGKILL)
    committed = shell.vectors(vault)
    (first, *_) = shell.search(vault, f"Part 0 0 {prose(0)}", mode="lexical")
    assert first[0] == "old/0.md", "the next start answers"
    report = shell("index", vault)
    assert 20 < committed < report["chunks"] == shell.vectors(vault)
    assert committed + report["embedded"] == report["chunks"], "what was committed is not embedded again"


def test_a_restart_with_nothing_changed_does_nothing(shell, vault):
    complete = shell("index", vault)
    shell("daemon", "stop")
    report = shell("index", vault)
    assert {key: report[key] for key in ("files", "chunks", "embedded", "removed", "failures")} == {
        "files": NOTES,
        "chunks": complete["chunks"],
        "embedded": 0,
        "removed": 0,
        "failures": [],
    }


def test_a_folder_renamed_while_nothing_runs(shell, vault):
    shell("index", vault)
    shell("daemon", "stop")
    (vault / "old").rename(vault / "new")
    assert shell("index", vault)["embedded"] == 0
    for mode in ("lexical", "dense", "hybrid"):
        found = shell.search(vault, f"Part 7 1 {prose(7 * SECTIONS + 1)}", mode=mode)
        assert found[0][0] == "new/7.md"
        assert {path.split("/")[0] for path, _, _ in found} == {"new"}
    (vault / "new").rename(vault / "old")


def test_a_sentence_that_was_just_written_comes_first(shell, vault):
    for number, size in enumerate((0, 1, 2, 3, 5, 10, 20, 40, 80, 160)):
        note = vault / "grown" / f"{size}.md"
        note.parent.mkdir(exist_ok=True)
        note.write_text(f"# Growing {size}\n\n" + "".join(f"{prose(10_000 + size + part)}\n\n" for part in range(size)))
        shell("index", "--no-wait", vault)
        sentence = f"On day {number} the {WORDS[number]} keeper traded a {WORDS[-number]} for {WORDS[number + 12]} and salt."
        with open(note, "a") as stream:
            stream.write(f"{sentence}\n")
        lines = note.read_text().count("\n")
        shell("index", vault)
        path, first, last = shell.search(vault, sentence)[0]
        assert (path, first <= lines <= last) == (f"grown/{size}.md", True)


def test_the_same_text_in_two_notes(shell):
    text = f"# Twin\n\n{prose(77)}\n"
    twins = shell.vault("twins", {"one.md": text, "two.md": text, "other.md": f"# Other\n\n{prose(78)}\n"})
    assert shell("index", twins)["embedded"] == 2
    assert {path for path, _, _ in shell.search(twins, prose(77))} >= {"one.md", "two.md"}
    (twins / "one.md").unlink()
    report = shell("index", twins)
    assert (report["files"], report["embedded"]) == (2, 0)
    for mode in ("lexical", "dense", "hybrid"):
        found = [path for path, _, _ in shell.search(twins, prose(77), mode=mode)]
        assert (found[0], "one.md" in found) == ("two.md", False)


def test_two_shells_at_once(make_shell):
    shell = make_shell()
    shared = shell.vault("shared", {f"{number}.md": f"# {number}\n\n{prose(number)}\n" for number in range(20)})
    shells = [shell.start("index", shared), shell.start("search", "--vault", shared, prose(3)), shell.start("index", shared)]
    ended = [(process.communicate(timeout=PATIENCE), process.returncode) for process in shells]
    assert [status for _, status in ended] == [0, 0, 0], ended
    first, found, second = (json.loads(answer) for (answer, _), _ in ended)
    assert (first["files"], second["files"], Path(found["hits"][0]["path"]).name) == (20, 20, "3.md")
    assert shell.vectors(shared) == 20
    status = shell("status")
    assert [(one["embedded"], one["queue"]) for one in status["vaults"]] == [(20, 0)]
