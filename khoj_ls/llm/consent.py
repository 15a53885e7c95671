"""The user's yes, given once per service, to sending passages of notes to another machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

from khoj_ls.config.edit import edit
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.options import show
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import ChatSettings
from khoj_ls.core.chat import ChatModel, Message
from khoj_ls.core.errors import ConsentNeeded
from khoj_ls.llm.counting import count_messages
from khoj_ls.llm.served import ServedModel

_KEY = ("chat", "allowed_hosts")


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether `allowed` has a yes to `host` (`https://api.example.org`)."""
    return not {host, host.removeprefix("https://")}.isdisjoint(allowed)  # a yes to a name is one to its encrypted service only


class Consents:
    """Which hosts were allowed: in the settings, or, where those cannot be changed, in this process. Any thread may ask."""

    def __init__(self, settings: Callable[[], ChatSettings], folders: Folders) -> None:
        """Go by `settings`; a new yes is written to the user's file in `folders`."""
        self._settings = settings
        self._folders = folders
        self._allowed: frozenset[str] = frozenset()
        self._lock = threading.Lock()

    def given(self, host: str) -> bool:
        """Whether the user said yes to `host`."""
        return is_allowed(host, (*self._allowed, *self._settings().allowed_hosts))

    def check(self, model: ChatModel, messages: Sequence[Message], answer: int) -> None:
        """Raise ConsentNeeded, unless the model runs on this machine or the user said yes to its host.

        The cost it tells is that of one question with the longest answer where `answer` tokens are wanted.
        """
        if not model.remote or self.given(model.host):
            return
        settings = self._settings()
        tokens = count_messages(model.count, messages)
        cost: float | None = None
        if price := model.card.price:
            most = min(answer, model.card.max_answer)
            if isinstance(model, ServedModel):
                most = model.longest_answer(messages, most)
            cost = (tokens * price.input + most * price.output) / 1e6
        about = f", at a cost of about ${cost:.2g}" if cost is not None else ""
        open_line = " over a connection that is not encrypted" if model.host.startswith("http://") else ""
        hosts = ", ".join(show(host) for host in (*settings.allowed_hosts, model.host))
        raise ConsentNeeded(
            f"your question and passages of your notes, about {tokens:,} tokens, would be sent to {model.host}{open_line} "
            f"({model.card.id}){about}. Nothing was sent. A yes is kept for all later questions: "
            f"`khoj-ls config set chat.allowed_hosts '[{hosts}]'`",
            host=model.host,
            tokens=tokens,
            cost=cost,
        )

    def allow(self, host: str) -> None:
        """Keep the user's yes to `host` in the user's file; where that cannot be, in this process.

        Raises SettingsError where the file cannot be written.
        """
        with self._lock:
            try:
                kept = load_user_settings(self._folders)[0].chat.allowed_hosts
                if host not in kept:
                    edit(self._folders.user_settings, _KEY, [*kept, host])
            finally:
                # A yes that the settings have is theirs alone: who takes it out of them takes it back.
                if host not in self._settings().allowed_hosts:
                    self._allowed |= {host}
