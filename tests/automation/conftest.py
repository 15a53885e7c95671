from __future__ import annotations

import pytest
from moody_receiver import MoodyReceiver

from khoj_ls.config.keys import Secret
from khoj_ls.config.paths import Folders
from khoj_ls.config.webhooks import Webhook

KEY = "s3cret of 32 letters and some more"


@pytest.fixture
def own_folders(tmp_path):
    """Folders of a user who has the key WEBHOOK_KEY."""
    found = Folders(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "run")
    found.config.mkdir()
    keys = found.config / "keys.toml"
    keys.write_text(f'WEBHOOK_KEY = "{KEY}"\n')
    keys.chmod(0o600)
    return found


@pytest.fixture
def secret():
    return Secret(KEY)


@pytest.fixture
def receiving():
    """Makes receivers on this machine, which end with the test."""
    made = []

    def make(receiver):
        made.append(receiver)
        return receiver

    yield make
    for each in made:
        each.close()


@pytest.fixture
def receiver(receiving):
    return receiving(MoodyReceiver())


@pytest.fixture
def hook_to():
    """A webhook to a receiver, or an address."""

    def make(target, **changed):
        url = target if isinstance(target, str) else target.url
        known = {"allow_private": ("127.0.0.1",), "timeout_seconds": 30.0, "name": "hook", "events": ("index.completed",)}
        return Webhook(**{"url": url, "secret_variable": "WEBHOOK_KEY", **known, **changed})

    return make
