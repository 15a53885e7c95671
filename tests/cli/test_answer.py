from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from khoj_ls.cli import answer
from khoj_ls.cli.answer import answered
from khoj_ls.core.jobs import ProgressCallback

ROOT = Path("/notes")


class Daemon:
    """Answers khoj/status from a script whose last line repeats, and writes down what it was asked."""

    def __init__(self, *states: tuple[str, float], files: int = 0, degraded: bool = False) -> None:
        self._states = list(states)
        self._files = files
        self.degraded = degraded
        self.asked: list[str] = []

    def call(self, method: str, params: Mapping[str, Any], on_progress: ProgressCallback | None = None) -> Any:
        self.asked.append(method.removeprefix("khoj/"))
        if method != "khoj/status":
            return {"method": method, "params": params, "degraded": self.degraded}
        phase, coverage = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        status = {"phase": phase, "coverage": coverage, "files": self._files, "queue": 3, "eta_seconds": None}
        return {"vaults": [{**status, "message": "" if phase == "model" else f"in {params['vault']} something was {phase}"}]}


@pytest.mark.parametrize(
    ("states", "wait", "needs_vectors", "asked"),
    [
        # a vault at rest answers at once
        ([("idle", 1.0)], None, False, ["status", "search"]),
        ([("idle", 1.0)], None, True, ["status", "search"]),
        # words are waited for, meaning is not
        ([("scan", 1.0), ("words", 0.0), ("embed", 0.1)], None, False, ["status", "status", "status", "search"]),
        # where meaning is the question, it is waited for
        ([("scan", 1.0), ("embed", 0.1)], None, True, ["status", "status", "reindex", "search"]),
        ([("embed", 0.1)], True, False, ["status", "reindex", "search"]),
        # but not where waiting leads nowhere
        ([("paused", 0.1)], True, True, ["status", "search", "status"]),
        ([("read-only", 0.1)], None, True, ["status", "search", "status"]),
        ([("waiting", 0.1)], None, True, ["status", "search", "status"]),
        # and not when told so
        ([("scan", 0.0)], False, True, ["status", "search"]),
    ],
)
def test_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
    states: list[tuple[str, float]],
    wait: bool | None,
    needs_vectors: bool,
    asked: list[str],
) -> None:
    monkeypatch.setattr(answer, "POLL_SECONDS", 0)
    daemon = Daemon(*states)
    result = answered(daemon, "khoj/search", {"query": "x"}, [ROOT], wait=wait, needs_vectors=needs_vectors)
    assert daemon.asked == asked
    assert (result["method"], result["params"]) == ("khoj/search", {"query": "x"})


@pytest.mark.parametrize(
    ("phase", "degraded", "roots", "messages"),
    [
        ("idle", False, ["/notes"], []),
        ("idle", True, ["/notes"], ["in /notes something was idle"]),
        ("model", True, ["/notes"], ["preparing the model: meaning follows by itself, and --wait waits for it"]),
        ("waiting", False, ["/notes"], ["in /notes something was waiting"]),
        ("offline", False, ["/a", "/b"], ["/a: in /a something was offline", "/b: in /b something was offline"]),
    ],
)
def test_what_a_vault_says_of_itself_explains_an_answer_that_lacks_something(
    phase: str, degraded: bool, roots: list[str], messages: list[str]
) -> None:
    daemon = Daemon((phase, 1.0), degraded=degraded)
    found = answered(daemon, "khoj/search", {}, [Path(root) for root in roots], wait=None, needs_vectors=False)
    assert found["messages"] == messages


def test_a_vault_that_has_an_index_does_not_keep_anyone_waiting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(answer, "POLL_SECONDS", 0)
    monkeypatch.setattr(answer, "KNOWN_VAULT_SECONDS", 0)
    daemon = Daemon(("words", 1.0), files=40)
    answered(daemon, "khoj/search", {}, [ROOT], wait=None, needs_vectors=False)
    assert daemon.asked[-1] == "search"
    assert "3 notes still to be read; this answer does not know them" in capsys.readouterr().err
