"""The user's webhooks: whether their keys are there, and how deliveries do. None is contacted for it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from khoj_ls.cli.checks import Check
from khoj_ls.config.keys import find_key
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.webhooks import Webhook, webhooks
from khoj_ls.core.errors import KhojError

_NAME = "webhook"


def checks(here: Folders) -> Iterator[Check]:
    """One per webhook that can be used; what is wrong with others is told with the settings."""
    found = webhooks(load_user_settings(here)[0].webhooks)
    if not found:
        return
    from khoj_ls.automation.webhooks import deliveries_of

    queue = deliveries_of(here)
    for webhook in found:
        try:
            counts, circuit = queue.counts(webhook.name), queue.circuit(webhook.name)
            yield _check(webhook, here, counts, paused=circuit.open_until > time.time())
        except KhojError as error:
            yield Check(_NAME, "fail", f"{webhook.name}: {error}")
    queue.close()


def _check(webhook: Webhook, here: Folders, counts: dict[str, int], *, paused: bool) -> Check:
    key = webhook.secret_variable
    if not webhook.active:
        return Check(_NAME, "ok", f"{webhook.name} is not active")
    if not find_key(key, os.environ, here):
        return Check(_NAME, "fail", f"{webhook.name}: there is no key {key}", f"run: khoj-ls config key {key}")
    told = f"{webhook.name}: {', '.join(webhook.events)}; {counts['waiting']} deliveries wait, {counts['failed']} failed"
    if paused or counts["failed"]:
        advice = f"run: khoj-ls webhooks deliveries {webhook.name}, then khoj-ls webhooks retry --all"
        return Check(_NAME, "warn", f"{told}{'; it is left alone for a while' if paused else ''}", advice)
    return Check(_NAME, "ok", told)
