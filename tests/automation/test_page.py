"""docs/webhooks.md: its receiver takes what we send and nothing else, and what it lists is what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path

import pytest
from waiting import wait_until

from khoj_ls.automation.payloads import PAYLOADS, TEST_EVENT, IndexCompleted, ToldNote, body_of, schema_text
from khoj_ls.automation.posting import post, signature
from khoj_ls.config.options import options, show
from khoj_ls.config.webhooks import Webhook

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "webhooks.md").read_text(encoding="utf-8")
EVENT = "index.completed"
BODY = body_of("1", EVENT, 1_800_000_000.0, "notes", IndexCompleted(1, ["straße.md"]))


def test_the_checked_in_schema_is_what_the_code_says():
    assert (DOCS / "webhooks.schema.json").read_text() == schema_text(), (
        "run: python -m khoj_ls.automation.payloads --write docs"
    )


def test_the_page_names_every_event_with_its_data():
    rows = dict(re.findall(r"^\| `([a-z]+\.[a-z]+)` \| [^|]* \|([^|]*)\|$", PAGE, re.MULTILINE))
    listed = {event: {field.name for field in fields(kind)} for event, kind in PAYLOADS.items() if event != TEST_EVENT}
    assert {event: set(re.findall(r"`(\w+)`", rows[event])) for event in rows} == listed
    assert all(f"`{field.name}`" in PAGE for field in fields(ToldNote))


def test_the_page_names_every_setting_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))
    known = {option.key: option.default for option in options(Webhook).values()}
    assert known.keys() <= rows.keys()
    stated = {key: rows[key].strip("`") for key in known if rows[key].startswith("`")}
    assert stated == {key: show(known[key]) for key in stated} and len(stated) >= 5


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The page's receiver under way: its address, and the lines that it has printed."""
    path = tmp_path_factory.mktemp("receiver") / "receiver.py"
    path.write_text(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], encoding="utf-8")
    environment = {**os.environ, "KHOJ_LS_WEBHOOK_KEY": "s3cret of 32 letters and some more"}
    program = subprocess.Popen([sys.executable, str(path), "0"], env=environment, stdout=subprocess.PIPE, text=True)
    port = re.search(r"port (\d+)", program.stdout.readline())[1]
    lines = []

    def read():
        for line in program.stdout:
            lines.append(line)

    threading.Thread(target=read, daemon=True).start()
    yield f"http://127.0.0.1:{port}/", lines
    program.kill()
    program.wait()


def test_the_receiver_takes_a_delivery_and_prints_it_once(example, hook_to, secret):
    url, lines = example
    before = len(lines)
    for _ in range(2):  # the second is what a sender does that never heard the answer
        assert post(hook_to(url), secret, EVENT, "same", BODY).status == 204
    assert post(hook_to(url), secret, EVENT, "other", BODY).status == 204
    wait_until(lambda: len(lines) == before + 2)
    assert lines[before] == f"index.completed notes {json.dumps({'changed': 1, 'notes': ['straße.md']})}\n"


@pytest.mark.parametrize(
    ("stamped", "delivery", "changed"),
    [
        (0, "new-1", {"X-Khoj-Signature": "v1=" + "0" * 64}),
        (0, "new-2", {"X-Khoj-Signature": ""}),
        (0, "new-3", {"X-Khoj-Signature": "v1=ä"}),
        (0, "new-4", {"X-Khoj-Delivery": "another"}),
        (0, "new-5", {"X-Khoj-Timestamp": "1"}),
        (0, "new-6", {"body": BODY.replace(b"1", b"2")}),
        (-301, "new-7", {}),
        (301 + 60, "new-8", {}),
    ],
)
def test_the_receiver_refuses_what_was_changed_or_is_old(stamped, delivery, changed, example, secret):
    url, lines = example
    before, timestamp = len(lines), int(time.time()) + stamped
    body = changed.pop("body", BODY)
    headers = {
        "X-Khoj-Event": EVENT,
        "X-Khoj-Delivery": delivery,
        "X-Khoj-Timestamp": str(timestamp),
        "X-Khoj-Signature": signature(secret, timestamp, delivery, BODY),
        **changed,
    }
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10)
    assert (refused.value.code, len(lines)) == (401, before)
