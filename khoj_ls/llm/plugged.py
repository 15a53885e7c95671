"""Chat models that plugins bring: asked on a thread of their own, so that one that hangs can be called off like any other."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from khoj_ls.core.chat import ChatModel, Delta, Finished, Message, ModelCard, Sampling
from khoj_ls.core.errors import KhojError, ModelError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.plugins.brought import Brought
from khoj_ls.plugins.kinds import ChatProvider
from khoj_ls.plugins.limits import PluginFault, described, within

_MAKE_SECONDS = 10.0
_COUNT_SECONDS = 0.5
_LOOK_SECONDS = 0.05


def plugged_model(providers: Brought[ChatProvider], name: str, patience: float) -> ChatModel | None:
    """The model `PROVIDER/NAME` of a plugin; None where no plugin has that provider. `patience`: seconds between two pieces.

    Raises UsageError for a name that its provider does not have, ModelError where it cannot be used.
    """
    provider, _, rest = name.partition("/")
    if provider not in providers.by_name:
        return None
    if not rest:
        raise UsageError(f"name a model of {provider}: {provider}/NAME")
    own = f"{name} of the plugin {providers.plugin[provider]}"
    try:
        made = within(_MAKE_SECONDS, partial(providers.by_name[provider].make, rest), f"khoj-make-{provider}")
    except PluginFault as fault:
        if isinstance(fault.__cause__, KhojError):
            raise fault.__cause__ from None
        raise ModelError(f"the model {own} cannot be used: {fault}") from fault
    return PluggedModel(made, provider, rest, own, patience)


def listed_names(providers: Mapping[str, ChatProvider]) -> list[str]:
    """The models that plugins name, as `PROVIDER/NAME`."""
    return [f"{name}/{model}" for name, each in providers.items() for model in each.models if isinstance(model, str)]


class PluggedModel:
    """A ChatModel of a plugin (core.chat)."""

    def __init__(self, made: object, provider: str, name: str, own: str, patience: float) -> None:
        """Ask `made`. Raises ModelError where that is no chat model."""
        if not isinstance(made, ChatModel) or not isinstance(made.card, ModelCard):
            raise ModelError(f"the model {own} cannot be used: a {type(made).__name__} is no ChatModel")
        if not isinstance(made.host, str) or type(made.remote) is not bool or (made.remote and not made.host):
            raise ModelError(f"the model {own} cannot be used: its host and remote do not say where messages go")
        self._made = made
        self._own = own
        self._patience = patience
        self._counts = True
        self.card = replace(made.card, provider=provider, name=name)
        self.host = made.host
        self.remote = made.remote

    def count(self, text: str) -> int:
        """Tokens of `text`: of the plugin, where it can tell at once, else an estimate."""
        if self._counts:
            try:
                count = within(_COUNT_SECONDS, partial(self._made.count, text), "khoj-plugged-count")
                if type(count) is int and count >= 0:
                    return count
            except PluginFault:  # counted otherwise from now on: texts are counted often
                pass
            self._counts = False
        return -(-len(text.encode()) // 3)

    def stream(self, messages: Sequence[Message], sampling: Sampling, token: CancelToken) -> Iterator[Delta | Finished]:
        """The answer, piece by piece. Raises Cancelled, ModelError, also where no piece comes for the time there is."""
        pieces: queue.SimpleQueue[object] = queue.SimpleQueue()
        ends = CancelToken()
        thread = threading.Thread(
            target=self._pump, args=(tuple(messages), sampling, ends, pieces), name="khoj-plugged-model", daemon=True
        )
        thread.start()
        waited = 0.0
        try:
            while True:
                token.raise_if_cancelled()
                try:
                    piece = pieces.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    waited += _LOOK_SECONDS
                    if waited >= self._patience:
                        raise ModelError(
                            f"{self._own} gave no answer for {self._patience:g} s (chat.timeout_seconds)"
                        ) from None
                    continue
                waited = 0.0
                if isinstance(piece, Delta) and isinstance(piece.text, str):
                    if piece.text:
                        yield piece
                elif isinstance(piece, Finished):
                    yield piece
                    return
                elif isinstance(piece, KhojError):
                    raise piece
                elif piece is None:  # it ended without saying so: who asks counts what there is
                    return
                else:
                    told = (
                        described(piece) if isinstance(piece, BaseException) else f"it answered with a {type(piece).__name__}"
                    )
                    raise ModelError(f"{self._own} failed: {told}")
        finally:
            ends.cancel()

    def close(self) -> None:
        """Have the plugin give back what it holds."""
        with suppress(PluginFault):
            within(_COUNT_SECONDS, self._made.close, "khoj-plugged-close")

    def _pump(
        self, messages: Sequence[Message], sampling: Sampling, token: CancelToken, pieces: queue.SimpleQueue[object]
    ) -> None:
        try:
            for piece in self._made.stream(messages, sampling, token):
                if token.cancelled:
                    return
                pieces.put(piece)
            pieces.put(None)
        except BaseException as error:  # noqa: BLE001 - the boundary to code of others, SystemExit included: who waits is told
            pieces.put(error)
