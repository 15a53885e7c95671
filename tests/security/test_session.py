"""After a day of work: no key and no text of a note where it does not belong, and nobody elsewhere was reached for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typical_session
from typical_session import KEPT_KEY, KEY, PRIVATE, PUBLIC

pytestmark = pytest.mark.model

SUPPORT = Path(typical_session.__file__).parent
# A network namespace of its own, with loopback up and no way to anywhere else.
APART = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"']


def can_be_apart() -> bool:
    return bool(shutil.which("unshare") and shutil.which("ip")) and not subprocess.call(
        [*APART, "true"], stderr=subprocess.DEVNULL
    )


class Day(NamedTuple):
    home: Path
    vault: Path
    apart: bool
    said: dict[str, str]
    sent: list[str]
    tried: int | None


@pytest.fixture(scope="module")
def day(prepared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A day that was lived, in a network namespace where that is allowed."""
    base = tmp_path_factory.mktemp("day")
    home, vault, report = base / "home", base / "notes", base / "report.json"
    (home / "data").mkdir(parents=True)
    (home / "data" / "models").symlink_to(prepared_models)
    vault.mkdir()
    apart = can_be_apart()
    # Libraries that report their use leave out what they take for a machine that runs tests.
    usual = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_ACTIONS")}
    environment = {**usual, "PYTHONPATH": os.pathsep.join([str(SUPPORT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(SUPPORT / "typical_session.py"), *map(str, (home, vault, report))]
    subprocess.run([*APART, *command] if apart else command, env=environment, check=True)
    return Day(home, vault, apart, **json.loads(report.read_text()))


def holding(day: Day, text: str) -> set[str]:
    """The files of the program that hold some text."""
    found = (path for path in day.home.rglob("*") if path.is_file() and "models" not in path.parts)
    return {path.relative_to(day.home).as_posix() for path in found if text.encode() in path.read_bytes()}


def test_the_day_was_what_it_should_be(day: Day) -> None:
    assert f"Our boat is called {PUBLIC}" in day.said[f"search {PUBLIC}"]
    assert "The boat is called so [1]." in day.said[f"chat --no-subqueries what is {PUBLIC} called"]
    assert PRIVATE in day.said[f"search --mode lexical {PRIVATE}"]
    assert "OPENAI_API_KEY" in day.said["chat --no-subqueries and again"]
    assert PUBLIC in day.said["lsp"] and '"id": 9' in day.said["lsp"]
    assert len(day.sent) >= 3 and PUBLIC in day.sent[0]


@pytest.mark.parametrize(("key", "where"), [(KEY, set()), (KEPT_KEY, {"config/keys.toml"})], ids=["environment", "keys.toml"])
def test_a_key_is_nowhere_but_in_the_file_for_keys(day: Day, key: str, where: set[str]) -> None:
    assert holding(day, key) == where
    assert [line for line, said in day.said.items() if key in said] == []


@pytest.mark.parametrize("text", [PUBLIC, PRIVATE], ids=["a note", "a private note"])
def test_notes_and_questions_are_in_the_index_and_the_conversations_alone(day: Day, text: str) -> None:
    found = {path.rpartition("/")[2].partition("-")[0] for path in holding(day, text)}
    assert "index.db" in found
    assert found <= {"index.db", "conversations.db"}
    assert all(path.startswith("data/vaults/") for path in holding(day, text))


def test_the_log_was_written_and_has_no_word_of_it(day: Day) -> None:
    log = day.said["daemon logs -n 100000"]
    assert "session of process" in log
    assert not [word for word in (KEY, KEPT_KEY, PUBLIC, PRIVATE) if word in log]


def test_what_is_private_was_sent_nowhere(day: Day) -> None:
    assert not [body for body in day.sent if PRIVATE in body]


def test_status_and_doctor_quote_no_note(day: Day) -> None:
    told = [day.said[line] for line in ("status", "doctor", "webhooks deliveries", "models")]
    assert not [word for word in (PUBLIC, PRIVATE) for said in told if word in said]


def test_nothing_leaves_the_machine_in_a_whole_day(day: Day, children: Any) -> None:
    """By the kernel's own count, native code included; and by Python's, also where there are no namespaces."""
    if day.apart:
        assert day.tried == 0
    assert children.tried() == []


@pytest.mark.skipif(not can_be_apart(), reason="no namespaces here: the guard of all tests holds")
def test_the_kernel_counts_what_is_tried() -> None:
    code = (
        "import socket, typical_session\n"
        "for family, place in ((socket.AF_INET, '198.51.100.7'), (socket.AF_INET6, '2001:db8::7')):\n"
        "    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "        assert socket.socket(family, kind).connect_ex((place, 53))\n"
        "print(typical_session._without_a_way())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*APART, sys.executable, "-c", code], env={**environment, "PYTHONPATH": str(SUPPORT)}, capture_output=True, text=True
    )
    assert done.stdout == "4\n", done.stderr
