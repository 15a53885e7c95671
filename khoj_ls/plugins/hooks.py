"""Calling the hooks of plugins: in order, each within its time, and no failure of one reaches who called."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from khoj_ls.config.settings import PluginSettings
from khoj_ls.core.jobs import CancelToken
from khoj_ls.plugins.events import HookCall, OnError
from khoj_ls.plugins.limits import Attempt, Overdue, PluginFault

log = logging.getLogger(__name__)

E = TypeVar("E")

PRE_INDEX, POST_INDEX = "khoj_pre_index", "khoj_post_index"
PRE_SEARCH, POST_SEARCH = "khoj_pre_search", "khoj_post_search"
PRE_CHAT, POST_CHAT = "khoj_pre_chat", "khoj_post_chat"
ON_ERROR = "khoj_on_error"
HOOKS = (PRE_INDEX, POST_INDEX, PRE_SEARCH, POST_SEARCH, PRE_CHAT, POST_CHAT, ON_ERROR)

_MOST_TOLD = 1000
"""So many events may wait for hooks in the background; more are dropped."""


@dataclass
class Implementation:
    """A plugin's function for one hook, and how it has done."""

    plugin: str
    hook: str
    call: Callable[[Any], object]
    """Called with the event."""
    calls: int = 0
    failures: int = 0
    """In a row."""
    last_error: str = ""
    disabled: bool = False
    running: Attempt[Any] | None = None
    """A call that did not return in time."""
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class HookHealth:
    """How a hook of a plugin does."""

    plugin: str
    hook: str
    state: str
    """`ok`, `fails` (its last call did), `hangs` (that has not returned) or `disabled`."""
    calls: int
    failures: int
    """In a row, until now."""
    last_error: str


class Hooks:
    """The hooks of all plugins. Thread-safe."""

    def __init__(
        self,
        implementations: Sequence[Implementation] = (),
        settings: PluginSettings | None = None,
        on_call: Callable[[HookCall], None] | None = None,
    ) -> None:
        """Call `implementations` in their order.

        With `on_call` that hears how each call went: it is for the process that listens to count, to tell khoj_on_error, and to
        say which are left out (`left_out`).
        """
        self.settings = settings or PluginSettings()
        self._by_hook: Mapping[str, tuple[Implementation, ...]] = MappingProxyType(
            {hook: tuple(each for each in implementations if each.hook == hook) for hook in HOOKS}
        )
        self._on_call = on_call
        self._told: queue.Queue[tuple[str, object]] = queue.Queue(_MOST_TOLD)
        self._teller: threading.Thread | None = None
        self._lock = threading.Lock()

    def has(self, hook: str) -> bool:
        """Whether any plugin has its say there."""
        return any(not each.disabled for each in self._by_hook[hook])

    def left_out(self, hook: str) -> tuple[str, ...]:
        """The plugins whose hook is not called any more."""
        return tuple(each.plugin for each in self._by_hook[hook] if each.disabled)

    def passed(
        self,
        hook: str,
        event: E,
        check: Callable[[E, E], E] = lambda before, after: after,
        token: CancelToken | None = None,
        until: float | None = None,
        without: Collection[str] = (),
    ) -> E:
        """What the plugins make of `event`, one after the other, within the time there is for all of them.

        `check(before, after)` looks at each answer, within the plugin's time, and returns what is taken of it; what it
        raises is a failure of the plugin. `until` is when the time ends, by the monotonic clock, where it has begun before.
        Plugins that are named in `without` are not asked. Raises nothing but Cancelled, when `token` is.
        """
        until = time.monotonic() + self.limit(hook) if until is None else until
        for each in self._by_hook[hook]:
            if each.plugin in without:
                continue
            left = until - time.monotonic()
            if left <= 0:
                log.warning("%s of the plugin %s is passed over: the hooks before it took all the time", hook, each.plugin)
                continue
            event = self._passed_by(each, event, left, check, token)
        return event

    def tell(self, hook: str, event: object) -> None:
        """Have the plugins hear of `event` in the background. Returns at once."""
        if not self.has(hook):
            return
        with self._lock:
            if self._teller is None:
                self._teller = threading.Thread(target=self._tell, name="khoj-hooks", daemon=True)
                self._teller.start()
        try:
            self._told.put_nowait((hook, event))
        except queue.Full:
            log.warning("plugins are behind with what they are told: an event for %s is dropped", hook)

    def error(self, event: OnError) -> None:
        """Tell khoj_on_error."""
        self.tell(ON_ERROR, event)

    def reported(self, calls: Sequence[HookCall]) -> None:
        """Take in how calls in another process went: they count as if they had been made here."""
        for call in calls:
            for each in self._by_hook.get(call.hook, ()):
                if each.plugin == call.plugin:
                    with each.lock:
                        each.calls += 1
                    self._went(each, call.fault)

    def health(self) -> tuple[HookHealth, ...]:
        """How each hook of each plugin does, in the order of their calls."""
        return tuple(_health(each) for hook in HOOKS for each in self._by_hook[hook])

    def limit(self, hook: str) -> float:
        """Seconds that all implementations of a hook have together."""
        return self.settings.search_hook_seconds if hook in (PRE_SEARCH, POST_SEARCH) else self.settings.hook_seconds

    # -- inside ------------------------------------------------------------------------------------------------------

    def _passed_by(
        self, each: Implementation, event: E, seconds: float, check: Callable[[E, E], E], token: CancelToken | None
    ) -> E:
        attempt = self._begun(each, event, check)
        if attempt is None:
            return event
        try:
            taken = attempt.result(seconds, token)
        except PluginFault as fault:
            if isinstance(fault, Overdue):
                with each.lock:
                    each.running = attempt
            self._went(each, str(fault))
            return event
        self._went(each)
        return taken

    def _begun(self, each: Implementation, event: E, check: Callable[[E, E], E]) -> Attempt[E] | None:
        """The call, begun; None where the hook is left out, or an earlier call of it hangs: so at most few threads ever do.

        The answer is looked at within the call: what it holds is code of others, too, such as a generator that raises or hangs.
        """
        with each.lock:
            if each.running is not None and not each.running.running:
                each.running = None
            if each.disabled or each.running is not None:
                return None
            each.calls += 1
        return Attempt(lambda: _taken(event, each.call(event), check), f"khoj-hook-{each.plugin}")

    def _went(self, each: Implementation, fault: str = "") -> None:
        """Count a call, which failed where there is a `fault`."""
        if self._on_call is not None:
            self._on_call(HookCall(each.plugin, each.hook, fault))
            return
        with each.lock:
            each.failures = each.failures + 1 if fault else 0
            each.last_error = fault or each.last_error
            ends = not each.disabled and each.failures >= self.settings.failures
            each.disabled = each.disabled or ends
        if not fault:
            return
        consequence = "; it is left out until the daemon starts anew" if ends else ""
        told = f"{each.hook} of the plugin {each.plugin} failed: {fault}{consequence}"
        log.warning("%s", told)
        if each.hook != ON_ERROR:
            self.error(OnError("plugin", told, "khoj.plugin", plugin=each.plugin, hook=each.hook))

    def _tell(self) -> None:
        while True:
            hook, event = self._told.get()
            self.passed(hook, event, lambda before, after: before)


NO_HOOKS = Hooks()
"""Where there are no plugins."""


def _health(each: Implementation) -> HookHealth:
    with each.lock:
        hangs = each.running is not None and each.running.running
        state = "disabled" if each.disabled else "hangs" if hangs else "fails" if each.failures else "ok"
        return HookHealth(each.plugin, each.hook, state, each.calls, each.failures, each.last_error)


def _taken(event: E, answer: object, check: Callable[[E, E], E]) -> E:
    """What is taken of the answer of one hook. Raises PluginFault where it is none, and what `check` raises."""
    if answer is None:
        return event
    if type(answer) is not type(event):
        raise PluginFault(f"it returned a {type(answer).__name__}, not {type(event).__name__} or None")
    return check(event, answer)
