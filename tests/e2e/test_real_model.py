"""Chat end to end with a real chat model: llama.cpp on loopback with SmolLM2-135M, asked by the program as people run it.

The model is tiny: it answers, but does not cite reliably. What it is given, how its answer arrives and how it is stopped are
the subject here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import llama_server
import pytest

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(bool(llama_server.what_is_missing()), reason=llama_server.what_is_missing() or "all is there"),
]

MODEL = "llamacpp/smollm2"
NOTES = {
    "boat.md": "# The boat\n\nOur boat is called Albatross. She lies in Lisbon.\n",
    "bread.md": "# Bread\n\nFeed the starter with rye flour at noon.\n",
    "bike.org": "#+title: Bike\n\n* Chain\nThe chain was replaced in March.\n",
}
SETTINGS = f"""
[chat]
model = "{MODEL}"
max_answer_tokens = 48
context_tokens = 200
sources = 2
temperature = 0.0
subqueries = false
"""
DOCS = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
DOCUMENTED = [json.loads(line) for line in DOCS.partition("```json chat\n")[2].partition("```")[0].splitlines()]
QUESTION = "What is the name of our boat?"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of the model's server."""
    code = Path(llama_server.__file__)
    command = [sys.executable, str(code), str(llama_server.small_model())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, f"the server ended with status {process.wait()}"
        yield address
        process.terminate()


@pytest.fixture(scope="module")
def asked(make_shell: Callable[[], Any], server: str) -> tuple[Any, Path]:
    """A shell, and a vault of which one note holds the answer."""
    shell = make_shell()
    (shell.home / "config").mkdir()
    (shell.home / "config" / "config.toml").write_text(SETTINGS)
    vault = shell.vault("notes", NOTES)
    shell("index", vault)
    return shell, vault


def chat(asked: tuple[Any, Path], url: str, *options: str) -> list[dict[str, Any]]:
    shell, vault = asked
    with shell.start("chat", "--vault", vault, "--base-url", f"{url}/v1", *options) as process:
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, output + errors
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.parametrize("way", [[], ["--in-process"]], ids=["daemon", "in-process"])
def test_a_question_is_answered_from_the_note_that_holds_it(asked: tuple[Any, Path], server: str, way: list[str]) -> None:
    events = chat(asked, server, *way, QUESTION)
    kinds = [event["kind"] for event in events]
    assert (kinds[0], kinds[-1], kinds.count("done"), kinds.count("failed")) == ("sources", "done", 1, 0)
    assert kinds.count("delta") > 1, "it arrives in pieces"
    documented = {event["kind"]: event for event in DOCUMENTED}
    assert [(event["kind"], [*event]) for event in events if [*event] != [*documented[event["kind"]]]] == []
    (first, *_), done = events[0]["sources"], events[-1]
    assert [*first] == [*documented["sources"]["sources"][0]]
    assert {*done["usage"]} == {*documented["done"]["usage"]}
    assert (first["number"], first["path"], "Albatross" in first["text"]) == (1, "boat.md", True)
    assert "albatross" in done["text"].lower()
    assert "".join(event["text"] for event in events if event["kind"] == "delta") == done["text"]
    assert (done["model"], done["cost"]) == (MODEL, None)
    assert done["usage"]["input_tokens"] > 50 and 1 <= done["usage"]["output_tokens"] <= 48
    assert all(NOTES[each["path"]].splitlines()[each["line"] - 1] for each in done["citations"])


def test_a_conversation_goes_on(asked: tuple[Any, Path], server: str) -> None:
    first = chat(asked, server, "--model", MODEL, QUESTION)[-1]
    second = chat(asked, server, "--continue", "Where does she lie?")[-1]
    assert (second["conversation"], second["turn"] != first["turn"]) == (first["conversation"], True)


def test_ctrl_c_stops_the_model(asked: tuple[Any, Path], server: str) -> None:
    shell, vault = asked
    long = ("--set", "chat.max_answer_tokens=2000", "/general", "Count from one to a thousand, one number a line: 1, 2, 3")
    with shell.start("chat", "--vault", vault, "--base-url", f"{server}/v1", "--no-keep", *long) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["kind"] == "delta":
                break
        assert is_busy(server)
        os.kill(process.pid, signal.SIGINT)
        rest = [json.loads(line) for line in process.stdout]
    assert (process.returncode, rest[-1]["kind"], rest[-1]["code"]) == (130, "failed", "khoj.cancelled")
    assert rest[-1]["text"], "what had arrived is kept"
    until = time.monotonic() + 5
    while is_busy(server):
        assert time.monotonic() < until, "the model writes on"


def is_busy(server: str) -> bool:
    with urllib.request.urlopen(f"{server}/slots", timeout=10) as answer:
        return any(slot["is_processing"] for slot in json.load(answer))


def test_a_dead_address_is_named_with_what_to_do(asked: tuple[Any, Path], unused_tcp_port: int) -> None:
    shell, vault = asked
    url = f"http://127.0.0.1:{unused_tcp_port}/v1"
    with shell.start("chat", "--vault", vault, "--base-url", url, QUESTION) as process:
        output, _ = process.communicate(timeout=60)
    failed = json.loads(output.splitlines()[-1])
    assert (process.returncode, failed["kind"], failed["code"]) == (3, "failed", "khoj.model.unreachable")
    assert f"127.0.0.1:{unused_tcp_port}" in failed["message"]
