"""The deliveries of one webhook, sent one after the other by a thread of its own: a receiver that stalls holds up no other."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from khoj_ls.automation.posting import Answer, Resolve, post
from khoj_ls.config.keys import Secret
from khoj_ls.config.webhooks import Webhook
from khoj_ls.core.errors import KhojError, SettingsError
from khoj_ls.store.deliveries import Deliveries

log = logging.getLogger(__name__)

FindSecret = Callable[[str], Secret | None]
"""The key called so. Raises SettingsError."""


@dataclass(frozen=True)
class Pace:
    """How patient deliveries are. Seconds."""

    first: float = 10.0
    """After the first failure; each later one waits `factor` times as long."""
    factor: float = 4.0
    longest: float = 3600.0
    jitter: float = 0.5
    """Each wait is longer or shorter by up to this share, so that many programs do not come back at once."""
    trip_after: int = 5
    """So many failures in a row open a webhook's circuit: nothing is sent to it for a while, then one delivery tries."""
    open_for: float = 60.0
    """The first time; twice as long after each trial that fails, up to `longest`."""
    without_key: float = 60.0
    """How often it is looked whether a key that is missing is there."""
    look: float = 5.0
    """How often the queue is looked at, for what other processes put into it."""

    def wait(self, attempts: int, chance: random.Random) -> float:
        """How long to wait after `attempts` failed attempts, 1 or more."""
        return self._jittered(self.first * self.factor ** (attempts - 1), chance)

    def open(self, failures: int, chance: random.Random) -> float:
        """How long the circuit is open after so many failures in a row; 0: it is closed."""
        if failures < self.trip_after:
            return 0.0
        return self._jittered(self.open_for * 2.0 ** min(failures - self.trip_after, 30), chance)

    def _jittered(self, seconds: float, chance: random.Random) -> float:
        return min(seconds, self.longest) * chance.uniform(1 - self.jitter, 1 + self.jitter)


class Sender:
    """Sends what waits for one webhook, until stopped."""

    def __init__(
        self,
        webhook: Webhook,
        deliveries: Deliveries,
        find_secret: FindSecret,
        pace: Pace,
        *,
        chance: random.Random | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        """Send to `webhook`; `start` begins."""
        self._webhook = webhook
        self._deliveries = deliveries
        self._find_secret = find_secret
        self._pace = pace
        self._chance = chance or random.Random()
        self._resolve = resolve
        self._news = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"webhook-{webhook.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something new waits."""
        self._news.set()

    def stop(self) -> None:
        """End after what is just being sent; does not wait for that."""
        self._stopped.set()
        self._news.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; False when it takes longer."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._news.clear()
            try:
                pause = self.step()
            except KhojError as error:  # the queue cannot be used now: the disk is full, another program holds it
                log.warning("webhook %s: %s", self._webhook.name, error)
                pause = self._pace.look
            except Exception:  # the boundary of the thread: a mistake of ours must not end all deliveries for good
                log.exception("webhook %s: a delivery went wrong", self._webhook.name)
                pause = self._pace.without_key
            if pause > 0:
                self._news.wait(pause)

    def step(self) -> float:
        """Send the next delivery, if it is due and the circuit is closed; returns for how long there is nothing to do."""
        webhook, now = self._webhook, time.time()
        circuit = self._deliveries.circuit(webhook.name)
        # A clock that was set back makes nothing wait for longer than it could have been made to.
        if now < circuit.open_until <= now + 2 * self._pace.longest:
            return min(circuit.open_until - now, self._pace.look)
        found = self._deliveries.next(webhook.name)
        if found is None:
            return self._pace.look
        delivery, body = found
        if now < delivery.due <= now + 2 * self._pace.longest:
            return min(delivery.due - now, self._pace.look)
        try:
            secret = self._find_secret(webhook.secret_variable)
            missing = (
                "" if secret else f"there is no key {webhook.secret_variable}: khoj-ls config key {webhook.secret_variable}"
            )
        except SettingsError as error:
            secret, missing = None, str(error)
        if secret is None:
            self._deliveries.postponed(delivery, missing, now + self._pace.without_key)
            return 0.0
        answer = post(webhook, secret, delivery.event, delivery.id, body, resolve=self._resolve)
        now = time.time()
        if answer.arrived:
            self._deliveries.arrived(delivery, answer.status, now)
            return 0.0
        attempts = delivery.attempts + 1
        due = None if answer.final or attempts > webhook.retries else now + self._after(answer, attempts)
        open_for = self._pace.open(circuit.failures + 1, self._chance)
        self._deliveries.failed(
            delivery, answer.status, answer.error, now, due=due, open_until=now + open_for if open_for else 0.0
        )
        outlook = "given up" if due is None else f"tried again in {due - now:.0f} s"
        log.info("webhook %s: delivery %s: %s; %s", webhook.name, delivery.id, answer.error, outlook)
        return 0.0

    def _after(self, answer: Answer, attempts: int) -> float:
        return max(self._pace.wait(attempts, self._chance), min(answer.retry_after, self._pace.longest))
