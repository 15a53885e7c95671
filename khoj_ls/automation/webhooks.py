"""Webhooks of one daemon: the door that events come in by, and the threads that take them down and send them.

Who hands over an event waits for nothing: it is put into a short queue in memory. A thread of our own makes the text of it,
writes it to the disk (`store.deliveries`), and from then on it outlives the process. Of several processes one sends.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
from collections.abc import Mapping, Sequence

from khoj_ls.automation.payloads import body_of
from khoj_ls.automation.sending import Pace, Sender
from khoj_ls.config.keys import Secret, find_key
from khoj_ls.config.paths import Folders
from khoj_ls.config.webhooks import Webhook
from khoj_ls.core.errors import KhojError
from khoj_ls.core.events import Occurrence
from khoj_ls.store.deliveries import Deliveries
from khoj_ls.store.lock import WriterLock

log = logging.getLogger(__name__)

MOST_IN_HAND = 1000
"""Events that wait in memory to be taken down; one more is dropped, and the log says so."""

MOST_WAITING = 10_000
"""Deliveries that wait for one webhook; one more is dropped and counted."""

_CLOSE_SECONDS = 0.4
_LONGEST_SECONDS = 300.0
"""No attempt takes longer: see `Webhook.timeout_seconds`, and what a resolver of names may take."""
_DAY = 86_400.0


def deliveries_of(folders: Folders) -> Deliveries:
    """The queue of this user."""
    return Deliveries(folders.data / "webhooks" / "queue.db")


class Webhooks:
    """The webhooks of this process. Thread-safe."""

    def __init__(
        self,
        webhooks: Sequence[Webhook],
        folders: Folders,
        environment: Mapping[str, str],
        *,
        pace: Pace | None = None,
    ) -> None:
        """Tell the active ones of `webhooks`; keys come from `environment` or the user's `folders`. `start` begins."""
        self._webhooks = tuple(webhook for webhook in webhooks if webhook.active)
        self._folders = folders
        self._environment = dict(environment)
        self._pace = pace or Pace()
        self.deliveries = deliveries_of(folders)
        """The queue."""
        self._lock = WriterLock(self.deliveries.path.parent)
        self._in_hand: queue.Queue[tuple[Occurrence, float] | None] = queue.Queue(MOST_IN_HAND)
        self._senders: list[Sender] = []
        self._sends, self._closing = True, False
        self._changing = threading.Lock()
        """Who begins or ends sending holds it: the lock on the disk would let one of our own threads in twice."""
        self._cleared = 0.0
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin to take down and to send."""
        self._thread.start()

    def tell(self, occurrence: Occurrence) -> None:
        """The door (`core.events.Tell`)."""
        if any(occurrence.event in webhook.events for webhook in self._webhooks):
            try:
                self._in_hand.put_nowait((occurrence, time.time()))
            except queue.Full:
                log.error("an event %s is dropped: %d wait to be taken down for the webhooks", occurrence.event, MOST_IN_HAND)

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Take in the variables of a new session; what is known already stays."""
        self._environment = {**environment, **self._environment}

    @property
    def busy(self) -> bool:
        """Whether deliveries wait that can be sent soon: not where a circuit is open, or a key is missing."""
        now = time.time()
        soon = now + self._pace.without_key / 2
        try:
            for webhook in self._webhooks:
                found = self.deliveries.next(webhook.name)
                if found and found[0].due <= soon and self.deliveries.circuit(webhook.name).open_until <= now:
                    return True
        except KhojError as error:
            log.warning("webhooks: %s", error)
        return not self._in_hand.empty()

    def hand_over(self) -> None:
        """Another process is to send from now on; what happens here is still taken down."""
        self._sends = False
        self._rest()

    def close(self) -> None:
        """Take down what is in hand, and end; what is being sent is found and sent again if it does not arrive in time."""
        self._closing = True
        try:
            self._in_hand.put_nowait(None)
        except queue.Full:
            log.warning("webhooks: more waits to be taken down than the end has time for")
        if self._thread.is_alive():
            self._thread.join(_CLOSE_SECONDS)
        self._rest()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                self._look_after()
            except KhojError as error:  # the disk is full, the folder not to be written: it may pass
                log.warning("webhooks: %s", error)
            except OSError as error:
                log.warning("webhooks: %s: %s", error.filename, error.strerror)
            try:
                item = self._in_hand.get(timeout=self._pace.look)
            except queue.Empty:
                continue
            if item is None:
                return
            try:
                self._take_down(*item)
            except Exception:  # the boundary of the thread: one event must not cost the others
                log.exception("an event %s could not be taken down", item[0].event)

    def _look_after(self) -> None:
        """Send, when no other process does; forget what is old."""
        with self._changing:
            if self._sends and not self._closing and not self._senders and self._lock.acquire():
                self._senders = [Sender(webhook, self.deliveries, self._find_key, self._pace) for webhook in self._webhooks]
                for sender in self._senders:
                    sender.start()
        if (now := time.time()) - self._cleared > _DAY:
            self.deliveries.clear_old(now)
            self._cleared = now

    def _take_down(self, occurrence: Occurrence, at: float) -> None:
        number = secrets.token_hex(16)
        bodies: dict[bool, bytes | None] = {}
        items = []
        for webhook in self._webhooks:
            if occurrence.event not in webhook.events:
                continue
            if webhook.content not in bodies:
                data = occurrence.data(webhook.content)
                whole = None if data is None else body_of(number, occurrence.event, at, occurrence.vault, data)
                bodies[webhook.content] = whole
            if (body := bodies[webhook.content]) is not None:
                items.append((webhook.name, occurrence.event, body))
        if not items:
            return
        try:
            added = self.deliveries.add(items, at, most=MOST_WAITING)
        except KhojError as error:  # a damaged queue is replaced by the next that uses it
            log.warning("webhooks: %s; trying once more", error)
            added = self.deliveries.add(items, at, most=MOST_WAITING)
        if len(added) < len(items):
            log.error("an event %s is dropped for a webhook: %d deliveries wait for it", occurrence.event, MOST_WAITING)
        for sender in list(self._senders):
            sender.wake()

    def _find_key(self, name: str) -> Secret | None:
        return find_key(name, self._environment, self._folders)

    def _rest(self) -> None:
        """Send no more."""
        with self._changing:
            senders, self._senders = self._senders, []
        for sender in senders:
            sender.stop()
        until = time.monotonic() + _CLOSE_SECONDS
        if all(sender.join(max(0.0, until - time.monotonic())) for sender in senders):
            self._lock.release()
            return
        # Nobody else sends before what is just being sent has ended: in a daemon that ends, the end of the process sees to it.
        threading.Thread(target=self._release_later, args=(senders,), name="webhooks-rest", daemon=True).start()

    def _release_later(self, senders: Sequence[Sender]) -> None:
        for sender in senders:
            sender.join(_LONGEST_SECONDS)
        self._lock.release()
