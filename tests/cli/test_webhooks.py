"""`khoj-ls webhooks`: what it shows, sends and mends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from moody_receiver import MoodyReceiver

from khoj_ls.automation.webhooks import deliveries_of
from khoj_ls.config.paths import folders

KEY = "s3cret of 32 letters and some more"


@pytest.fixture
def receiver() -> Any:
    found = MoodyReceiver.scripted(["error"])
    yield found
    found.close()


@pytest.fixture
def home(private_home: Path, receiver: MoodyReceiver) -> Path:
    """A user with a webhook `home`, and its key."""
    (private_home / "config").mkdir()
    (private_home / "config" / "config.toml").write_text(
        f'[[webhooks]]\nname = "home"\nurl = "{receiver.url}"\nsecret_variable = "WEBHOOK_KEY"\n'
        'events = ["index.completed"]\nallow_private = ["127.0.0.1"]\n'
    )
    keys = private_home / "config" / "keys.toml"
    keys.write_text(f'WEBHOOK_KEY = "{KEY}"\n')
    keys.chmod(0o600)
    return private_home


@pytest.fixture
def failed(home: Path) -> str:
    """The id of a delivery that was given up."""
    queue = deliveries_of(folders())
    [name] = queue.add([("home", "index.completed", b"the text of a note")], time.time(), most=9)
    queue.failed(queue.next("home")[0], 500, "HTTP 500", time.time(), due=None, open_until=time.time() + 600)  # type: ignore[index]
    queue.close()
    return name


def test_without_any(verb: Any) -> None:
    shown = verb("webhooks")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "there are no webhooks" in shown.stderr


def test_list(verb: Any, failed: str, receiver: MoodyReceiver) -> None:
    shown = verb("webhooks", "list")
    assert shown.exit_code == 0
    for part in ("home", receiver.url, "WEBHOOK_KEY (there)", "0 waiting, 0 arrived, 1 failed", "after 1 failure in a row"):
        assert part in shown.stdout
    [found] = json.loads(verb("webhooks", "--json").stdout)["webhooks"]
    assert (found["name"], found["key_found"], found["content"], found["failures"]) == ("home", True, False, 1)
    assert found["deliveries"] == {"waiting": 0, "arrived": 0, "failed": 1}
    assert found["paused_until"].endswith("Z") and KEY not in shown.stdout + json.dumps(found)


def test_test(verb: Any, home: Path, receiver: MoodyReceiver) -> None:
    shown = verb("webhooks", "test", "home")
    assert (shown.exit_code, shown.stdout) == (3, "fail  home: HTTP 500\n")
    [result] = json.loads(verb("webhooks", "test", "--json").stdout)["results"]
    assert (result["status"], result["error"]) == (204, None)
    got = receiver.received[-1]
    assert (got.headers["X-Khoj-Event"], got.delivery) == ("webhook.test", result["delivery"])
    assert json.loads(got.body)["data"] == {}
    wrong = verb("webhooks", "test", "work")
    assert (wrong.exit_code, "there is no webhook 'work' (known: home)" in wrong.stderr) == (2, True)


def test_test_without_the_key(verb: Any, home: Path, receiver: MoodyReceiver) -> None:
    (home / "config" / "keys.toml").unlink()
    shown = verb("webhooks", "test")
    assert (shown.exit_code, receiver.received) == (3, [])
    assert "there is no key WEBHOOK_KEY: khoj-ls config key WEBHOOK_KEY" in shown.stdout


def test_deliveries_and_retry(verb: Any, failed: str) -> None:
    shown = verb("webhooks", "deliveries", "--state", "failed")
    assert shown.stdout.startswith(f"{failed[:8]} failed home index.completed (")
    assert "HTTP 500" in shown.stdout and "text of a note" not in shown.stdout
    [found] = json.loads(verb("webhooks", "deliveries", "home", "--json").stdout)["deliveries"]
    assert (found["id"], found["state"], found["attempts"], found["status"], found["due"]) == (failed, "failed", 1, 500, None)
    assert verb("webhooks", "deliveries", "--state", "waiting").exit_code == 1
    for arguments, status in ((["retry"], 2), (["retry", "--all", failed], 2), (["retry", "abc"], 2), (["retry", "zzzz"], 1)):
        assert verb("webhooks", *arguments).exit_code == status, arguments
    assert json.loads(verb("webhooks", "retry", failed[:8], "--json").stdout) == {"retried": [failed]}
    assert verb("webhooks", "retry", "--all").exit_code == 1
    [found] = json.loads(verb("webhooks", "deliveries", "--json").stdout)["deliveries"]
    assert (found["state"], found["attempts"]) == ("waiting", 0)


@pytest.mark.parametrize(
    ("key", "state", "told"),
    [
        (True, "warn", "home: index.completed; 0 deliveries wait, 1 failed"),
        (False, "fail", "home: there is no key WEBHOOK_KEY"),
    ],
)
def test_doctor(key: bool, state: str, told: str, verb: Any, home: Path, failed: str) -> None:
    from khoj_ls.cli.checks.webhooks import checks

    if not key:
        (home / "config" / "keys.toml").unlink()
    [check] = checks(folders())
    assert (check.state, check.message[: len(told)]) == (state, told)
