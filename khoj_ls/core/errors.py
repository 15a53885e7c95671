"""Errors that are shown to people. Each message says what is wrong, names the thing, and says what to do."""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False  # type checkers know the name; importing typing would cost the relay milliseconds
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class KhojError(Exception):
    """Base of every error whose message is meant for the user as it stands."""

    code = "khoj.error"
    """Stable short name, part of the wire."""
    details: Mapping[str, Any] = MappingProxyType({})
    """What else a client is told, beside the code; plain values."""


class UsageError(KhojError):
    """The request itself is wrong: an unknown filter, a limit out of range, a path outside the vault. Exit 2."""

    code = "khoj.usage"


class NoVaultError(UsageError):
    """A question that is about no vault: the session has no folder, and the settings name none; or about our own files."""

    code = "khoj.vault.none"


class Cancelled(KhojError):
    """The user or the client called the work off."""

    code = "khoj.cancelled"


class SettingsError(KhojError):
    """A setting that cannot be used; the start goes on without it."""

    code = "khoj.settings"


class VaultError(KhojError):
    """The folder cannot be served: it is missing, refused (home, root, far too large), or not readable."""

    code = "khoj.vault"


class StoreError(KhojError):
    """The database cannot be used: from a newer version, damaged beyond repair, or the disk is full."""

    code = "khoj.store"


class ModelError(KhojError):
    """An embedding, rerank or chat model cannot be loaded or reached."""

    code = "khoj.model"


class Unreachable(ModelError):
    """A model's service does not answer, or stopped answering."""

    code = "khoj.model.unreachable"


class KeyRefused(ModelError):
    """A model's service wants a key, or another one."""

    code = "khoj.model.key"


class RateLimited(ModelError):
    """A model's service wants to be asked less often, or to be paid."""

    code = "khoj.model.rate"


class ContextTooLong(ModelError):
    """What was sent does not fit into the model's window."""

    code = "khoj.model.context"


class ConsentNeeded(KhojError):
    """Notes would be sent to another machine for the first time, and the user has not said yes to it."""

    code = "khoj.consent"

    def __init__(self, message: str, *, host: str = "", tokens: int = 0, cost: float | None = None) -> None:
        """Say what would be sent to `host`: about `tokens` tokens, for about `cost` US dollars where that is known."""
        super().__init__(message)
        self.host = host
        self.tokens = tokens
        self.cost = cost


class DaemonError(KhojError):
    """The daemon cannot be started, reached, or ended."""

    code = "khoj.daemon"


def named_error(code: str | None, message: str, details: Mapping[str, Any] | None = None) -> KhojError:
    """The exception for what a wire says of one: the subclass of KhojError that has the code; KhojError for an unknown one."""
    kinds = [KhojError]
    for kind in kinds:
        if kind.code == code:
            break
        kinds += kind.__subclasses__()
    else:
        kind = KhojError
    error = kind(message)
    error.details = dict(details or {})
    return error
