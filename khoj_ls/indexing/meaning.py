"""The meaning path: from stored entries to chunks, and from chunks to vectors, in the time that the word path leaves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import KhojError, StoreError
from khoj_ls.embed.prices import cost_of
from khoj_ls.indexing.courtesy import Courtesy
from khoj_ls.indexing.cutting import CutOrder, Cutting
from khoj_ls.indexing.embedding import Embedding
from khoj_ls.indexing.models import Encoder, ModelInfo, active_model, adopt, has_taken_over, take_over
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.parsers import Job
from khoj_ls.indexing.queue import Lane
from khoj_ls.indexing.storing import Effect
from khoj_ls.indexing.task import Background, Task
from khoj_ls.indexing.types import Tally
from khoj_ls.store.chunks import ActiveModel, forget_unused, set_aside
from khoj_ls.store.database import Database, get_meta, set_meta

log = logging.getLogger(__name__)

_DAY = 86_400.0
_SET_ASIDE_AFTER = 200
"""Notes changed: looking for vectors that no text uses any more takes some 0.3 s in an index of 100,000."""
_SET_ASIDE_AT_ONCE = 2000
_FEW_UNCUT = 20
"""Notes that were read anew and not cut yet: what they hold looks unused for that long, and has to be taken back."""
_FIRST_RETRY, _LAST_RETRY = 5.0, 300.0


class MeaningPath:
    """Keeps the vectors of all stored entries complete. For the writer thread only."""

    def __init__(
        self,
        database: Database,
        encoder: Encoder,
        settings: Settings,
        overlays: Overlays,
        submit: Callable[[Job[CutOrder]], None],
        wake: Callable[[], None],
        tally: Tally,
        courtesy: Courtesy,
        catch_up: Callable[[], object] | None = None,
    ) -> None:
        """Embed with `encoder`; `catch_up` is called from a thread of its own after vectors were stored."""
        self._database = database
        self._encoder = encoder
        self._settings = settings
        self._wake = wake
        self._tally = tally
        self._catch_up = catch_up
        self.cutting = Cutting(database, overlays, submit)
        self._courtesy = courtesy
        self._embedding = Embedding(database, encoder, settings.embedding, wake, courtesy.wait_seconds)
        self._thread = Background("khoj-model")
        self._preparing: Task[ModelInfo] | None = None
        self._catching_up: Task[object] | None = None
        self._info: ModelInfo | None = None
        self._model: ActiveModel | None = None
        self._switching_from = ""
        self._retry = _FIRST_RETRY
        self._retry_at = 0.0
        self._changed = 0
        self._complete = False
        self._consent = ""
        self._trouble = ""

    @property
    def pending(self) -> int:
        """Texts that wait for a vector, and about how many the files not cut yet will make."""
        return self.cutting.expected[0] + self._embedding.texts

    @property
    def phase(self) -> str:
        """`model`, `chunk`, `embed`, `waiting` or `idle`."""
        if self._complete:
            return "idle"
        if self._embedding.running:
            return "embed"
        if self.trouble:
            return "waiting"
        return "model" if self._model is None else "chunk" if len(self.cutting) else "embed"

    @property
    def trouble(self) -> str:
        """What keeps the vectors from being complete, and what to do about it; empty when nothing does."""
        return self._trouble or self._consent or (self._courtesy.reason if self._embedding.waits else "")

    @property
    def note(self) -> str:
        """What goes on beside the usual."""
        if not self._model or not self._switching_from:
            return ""
        return f"the notes are embedded anew with {self._model.name}; {self._switching_from} answers meanwhile"

    @property
    def eta_seconds(self) -> float | None:
        """Until all texts have their vectors, while they are being embedded."""
        return self._embedding.eta_seconds(self.cutting.expected[1]) if self._embedding.running else None

    @property
    def settled(self) -> bool:
        """Whether everything is embedded, or cannot be before something outside changes (see `trouble`)."""
        return self._complete or (bool(self.trouble) and not self._embedding.running)

    def wait_seconds(self) -> float | None:
        """Seconds until there may be something to do without anything being stored or answered."""
        waits = [self.cutting.rest_seconds] if self.cutting.rest_seconds else []
        if self._embedding.waits:
            waits.append(self._embedding.waits)
        if self._retry_at:
            waits.append(max(0.0, self._retry_at - time.monotonic()))
        return min(waits) if waits else None

    def stored(self, effect: Effect, file_id: int) -> None:
        """Take note of what the word path wrote."""
        if effect.kind == "replaced":
            self.cutting.want(file_id, effect.lane)
            self._complete = False
            self._consent = ""
            self._changed += 1
        elif effect.kind == "removed":
            self.cutting.forget(file_id)
            self._changed += 1

    def step(self, *, begin: bool, width: int) -> bool:
        """Store what is done and, with `begin`, start more; True when anything moved. Raises StoreError."""
        moved = self._store() | self._set_aside()
        if not begin or self._complete or time.monotonic() < self._retry_at:
            return moved
        if self._model is None or self._info is None:
            return self._prepare() or moved
        may_send = self._embedding.may_send(self._info)
        moved |= may_send and self._embedding.begin(self._model, self._info)
        moved |= self.cutting.begin(self._info, width, backlog=not self._embedding.far_behind)
        if moved or self._consent or not self.cutting.idle or self._embedding.running or self._embedding.waits:
            return moved
        if may_send:
            self._finish(self._model)
        else:
            self._ask(self._model, self._info)
        return True

    def _store(self) -> bool:
        if self._model is None:
            return False
        cut = self.cutting.store(self._model)
        if cut is not None:
            self._embedding.refresh(urgent=cut.lane < Lane.BACKLOG)
            self._embedding.expect(cut.texts, cut.tokens)
        stored = self._store_vectors(self._model)
        return bool(stored) or cut is not None

    def _store_vectors(self, model: ActiveModel) -> int:
        try:
            stored = self._embedding.store(model)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - a model may be anyone's code; the words stay complete, status says why
            self._fail(error)
            return 0
        if stored:
            self._tally.embedded += stored
            self._recover()
            self._keep_index_up()
        return stored

    def _keep_index_up(self) -> None:
        """Take new vectors into the vector index now, so that no search has to."""
        if self._catch_up is None or (self._catching_up and not self._catching_up.done):
            return
        if self._catching_up and (error := self._catching_up.error):
            log.warning("the vector index could not be caught up, the next search tries again: %s", error)
        self._catching_up = self._thread.run(self._catch_up, lambda: None)

    def _ask(self, model: ActiveModel, info: ModelInfo) -> None:
        """Say what consent is needed for; the words are complete without it."""
        count, tokens = self._embedding.count(model)
        cost = cost_of(self._settings.embedding, tokens)
        about = "" if cost is None else f" at a cost of about ${cost:.2g}"
        self._consent = (
            f"{count:,} texts ({tokens:,} tokens) wait to be embedded by {info.name}, which would send them to {info.remote}"
            f"{about}: allow it with embedding.allow_remote, or choose a model on this machine"
        )

    def _prepare(self) -> bool:
        if self._preparing is None:
            self._preparing = self._thread.run(self._encoder.info, self._wake)
            return True
        if not self._preparing.done:
            return False
        task, self._preparing = self._preparing, None
        try:
            info = task.result()
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            return True
        with self._database.write() as connection:
            before = active_model(connection)
            model = adopt(connection, info)
        self._switching_from = before.name if before and before.key != model.key else ""
        if self._switching_from:
            log.info("the notes are embedded anew with %s; %s answers meanwhile", model.name, before and before.name)
        self.cutting.load(model)
        self._info, self._model = info, model
        self._recover()
        return True

    def _fail(self, error: Exception) -> None:
        what = str(error) if isinstance(error, KhojError) else f"the embedding model failed ({type(error).__name__}: {error})"
        log.warning("%s; tried again in %.0f s", what, self._retry)
        self._trouble = f"{what} (notes are found by words meanwhile; it is tried again by itself)"
        self._retry_at = time.monotonic() + self._retry
        self._retry = min(self._retry * 2, _LAST_RETRY)

    def _recover(self) -> None:
        self._retry, self._retry_at, self._trouble = _FIRST_RETRY, 0.0, ""

    def close(self) -> None:
        """Let the threads end when they are through with what they do."""
        self._embedding.close()
        self._thread.close()

    def retry_now(self) -> None:
        """Try again at once what failed, and ask again for a consent that may be given by now. From any thread."""
        self._trouble = self._consent = ""
        self._retry_at = 0.0

    def _finish(self, model: ActiveModel) -> None:
        """Nothing waits any more: the model takes over, and what is long unused is forgotten."""
        now = time.time()
        with self._database.read() as connection:
            over = has_taken_over(connection, model)
            last_purge = float(get_meta(connection, "last_purge", "0"))
        if not over:
            with self._database.write() as connection:
                take_over(connection, model)
            self._switching_from = ""
        if now - last_purge > _DAY:
            with self._database.write() as connection:
                forget_unused(connection, now, self._settings.index.keep_vectors_days)
                set_meta(connection, "last_purge", str(now))
            self._changed = _SET_ASIDE_AFTER  # what was written over in short sessions adds up, too
        self._embedding.clear()
        self._complete = True

    def _set_aside(self) -> bool:
        """Take vectors that no text uses out of the searches, many at once, so that edits come between; True when any were.

        Not only when all is done: where somebody always writes, that is never.
        """
        if self._model is None or self._changed < _SET_ASIDE_AFTER or self._switching_from or len(self.cutting) > _FEW_UNCUT:
            return False
        with self._database.write() as connection:
            count = set_aside(connection, self._model, time.time(), _SET_ASIDE_AT_ONCE)
        if count < _SET_ASIDE_AT_ONCE:
            self._changed = 0
        if count:
            self._keep_index_up()
        return count > 0
