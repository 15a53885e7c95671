"""The face of indexing: one Indexer keeps the index of one vault complete."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from khoj_ls import __version__
from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import Cancelled, StoreError, VaultError
from khoj_ls.core.jobs import CancelToken, ProgressCallback
from khoj_ls.indexing.courtesy import Courtesy
from khoj_ls.indexing.ignore import Decision, IgnoreRules, is_encodable
from khoj_ls.indexing.models import Encoder, active_model
from khoj_ls.indexing.overlay import Overlays
from khoj_ls.indexing.parsers import DEFAULT_TOOLS, NO_PARSER_PLUGINS, ParserPlugins
from khoj_ls.indexing.pipeline import Pipeline
from khoj_ls.indexing.queue import Depth, Lane
from khoj_ls.indexing.scan import count_files
from khoj_ls.indexing.tools import Registry, file_types
from khoj_ls.indexing.types import IndexEvent, IndexReport, IndexState, Tally
from khoj_ls.indexing.watch import Watcher
from khoj_ls.store.chunks import coverage
from khoj_ls.store.counts import chunk_count, counts, failures, warnings
from khoj_ls.store.database import DamagedDatabase, Database, get_meta, set_meta
from khoj_ls.store.files import file_rows

__all__ = ["Decision", "IndexEvent", "IndexReport", "IndexState", "Indexer", "IndexerClosed", "count_files"]

log = logging.getLogger(__name__)


class IndexerClosed(StoreError):
    """What was waited for is not done any more by this indexer; perhaps by the one that took its place."""


_LOOK_SECONDS = 0.1


class Indexer:
    """Keeps the index of one vault complete: words at once, vectors in the time that leaves.

    Paths are relative to the vault, posix. All methods may be called from any thread; only `index` waits.
    """

    def __init__(
        self,
        root: Path,
        database: Database,
        registry: Registry,
        encoder: Encoder | None,
        settings: Settings,
        on_event: Callable[[IndexEvent], None],
        *,
        tools: str = DEFAULT_TOOLS,
        catch_up: Callable[[], object] | None = None,
        plugins: ParserPlugins = NO_PARSER_PLUGINS,
        overlays: Overlays | None = None,
        courtesy: Courtesy | None = None,
    ) -> None:
        """Index the notes below `root` into `database`; without an `encoder` only their words.

        `on_event` is called from the writer thread. `tools` names what parser workers work with. `catch_up` is called, from a
        thread of its own, after vectors were stored: the place to bring the vector index up to date. `plugins` are those that
        workers load. `overlays` are the buffers that an indexer before this one knew, `courtesy` tells when the backlog waits.
        Starts nothing yet.
        """
        self._root = root.resolve()
        self._database = database
        self._settings = settings
        self._on_event = on_event
        self._rules = IgnoreRules(self._root, settings.index, registry.extensions())
        self._courtesy = courtesy or Courtesy(settings.embedding)
        self._pipeline = Pipeline(
            database,
            self._rules,
            file_types(registry),
            encoder,
            settings,
            self._emit,
            overlays if overlays is not None else Overlays(settings.index.buffer_rest_seconds),
            self._courtesy,
            tools=tools,
            catch_up=catch_up,
            plugins=plugins,
        )
        self._queue = self._pipeline.queue
        self._watcher: Watcher | None = None
        self._is_ours = False

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self, watch: bool = True) -> None:
        """Begin to look for what changed since the last time and, with `watch`, for what changes from now on."""
        with self._database.read() as connection:
            # Another version may read the same notes otherwise; equal texts keep their vectors.
            self._is_ours = get_meta(connection, "read_by") == __version__
            empty = counts(connection).files == 0
        parse_all = not self._is_ours and not empty
        if empty:  # now, not when all is embedded: who is interrupted before goes on, and does not begin anew
            self._claim()
        self._queue.rescan("", Depth.PARSE if parse_all else Depth.STAT)
        self._queue.put(self._pipeline.overlays.paths(), Lane.OPEN)
        self._pipeline.start()
        if watch:
            self._watcher = Watcher(self._root, self._queue, self._rules.extensions)
            self._watcher.start()

    def close(self) -> None:
        """End within a second. What was not finished is found and done at the next start."""
        if self._watcher:
            self._watcher.close()
        self._pipeline.close()

    # -- work --------------------------------------------------------------------------------------------------------

    def index(
        self,
        progress: ProgressCallback | None = None,
        token: CancelToken | None = None,
        *,
        force: bool = False,
        paths: Sequence[str] | None = None,
        wait: bool = True,
    ) -> IndexReport:
        """Look at the whole vault, or at `paths`, and wait until words and vectors are complete.

        `force` reads and parses unchanged files too; texts that have a vector keep it. Goes on with work that was paused.
        Without `wait` the report tells how things stand now.

        When the token is cancelled no more of the backlog is read, cut or embedded until `resume` or the next `index`; edits
        still reach the word index. Nothing that was done or is known to be due gets lost.

        Raises Cancelled, VaultError when the folder is not there, StoreError when the index cannot be written.
        """
        begun = time.monotonic()
        before = replace(self._pipeline.reporter.at_rest)
        depth = Depth.PARSE if force else Depth.STAT
        with self._courtesy.insisting() if wait else nullcontext():
            self.resume()
            for path in [""] if paths is None else paths:
                folder = "" if path in ("", ".") else path
                if (self._root / folder).is_dir():
                    self._queue.rescan(folder, depth, believe_empty=force)
                else:
                    self._queue.put([path], Lane.OPEN, depth=depth)
            if wait:
                self._wait(self._queue.version, progress, token)
        return self._report(before, time.monotonic() - begun)

    def changed(self, path: str) -> None:
        """A file or folder was saved, created, renamed or deleted."""
        if path in ("", "."):
            self._queue.rescan("")
        elif is_encodable(path):
            self._queue.put([path], Lane.OPEN, delay=self._settings.index.debounce_seconds)

    def overlay(self, path: str, text: str, version: int, session: str = "") -> None:
        """Index the unsaved text of a buffer instead of the file; files that are left out are left out here too.

        Versions are compared within one `session`; of several sessions' buffers the one that changed last counts.
        """
        if self._rules.by_name(path, {}) is None and self._pipeline.overlays.put(path, text, version, session):
            self._courtesy.typed()
            self._queue.put([path], Lane.OPEN, delay=self._settings.index.debounce_seconds)

    def overlay_closed(self, path: str, session: str = "") -> None:
        """The buffer is closed: go back to what is on disk, or in another session's buffer."""
        if self._pipeline.overlays.drop(path, session):
            self._queue.put([path], Lane.OPEN)

    def pause(self) -> None:
        """Stop reading, parsing and embedding; changes are remembered."""
        self._queue.pause()
        self._pipeline.withdraw()

    def resume(self) -> None:
        """Go on, and try at once what was waiting for its next attempt."""
        self._queue.resume()
        self._pipeline.retry()

    # -- questions ---------------------------------------------------------------------------------------------------

    @property
    def paused(self) -> bool:
        """Whether `pause` holds."""
        return self._queue.paused

    @property
    def counts(self) -> Tally:
        """What was done since `start`."""
        return replace(self._pipeline.tally)

    def why(self, path: str) -> Decision:
        """Whether a file is indexed, and why."""
        decision = self._rules.why(path)
        if self._pipeline.overlays.get(path) and decision.code == "missing":
            decision = replace(decision, indexed=True, reason="it is open in an editor and not saved yet", code="indexed")
        if not decision.indexed:
            return decision
        with self._database.read() as connection:
            row = file_rows(connection, [path]).get(path)
        if row is None:
            return Decision(False, "no rule leaves it out; it waits to be indexed", None, "waiting")
        return Decision(False, row.failure, None, row.problems[0].code) if row.failure else decision

    def refused(self) -> dict[str, str]:
        """What should be indexed and is not, or only by its words, beside the failed files in the store: reason by path.

        Folders that cannot be listed, names that are no text, files that cannot be cut.
        """
        return self._pipeline.refused()

    def state(self) -> IndexState:
        """What goes on."""
        state = self._pipeline.state()
        if self._watcher and self._watcher.problem:
            state = replace(state, message="; ".join(filter(None, (state.message, self._watcher.problem))))
        return state

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all that was asked for so far is done, or waits for `resume`; False when `timeout` was not enough."""
        version = self._queue.version
        with self._pipeline.rounds:
            return self._pipeline.rounds.wait_for(lambda: self._pipeline.complete_at >= version, timeout)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _wait(self, version: int, progress: ProgressCallback | None, token: CancelToken | None) -> None:
        pipeline = self._pipeline
        failures = pipeline.failures
        while pipeline.complete_at < version:
            if pipeline.closed:
                raise IndexerClosed("indexing has ended: the vault is closed")
            if token and token.cancelled:
                self._queue.hold()
                pipeline.withdraw()
                raise Cancelled("indexing was cancelled; what is done is kept, the rest waits until you index again")
            if pipeline.scanner.offline and not pipeline.scanner.busy and not self._queue.rescans_wait():
                break
            # The first failure may pass; the writer goes on trying after we have spoken.
            if pipeline.dead:
                raise DamagedDatabase(pipeline.trouble)
            if pipeline.failures > failures + 1:
                raise StoreError(pipeline.trouble)
            with pipeline.rounds:
                pipeline.rounds.wait_for(lambda: pipeline.complete_at >= version, _LOOK_SECONDS)
            if progress:
                progress(pipeline.reporter.progress(pipeline.state()))
        if pipeline.scanner.offline:
            raise VaultError(pipeline.scanner.offline)

    def _report(self, before: Tally, seconds: float) -> IndexReport:
        with self._database.read() as connection:
            held = counts(connection)
            model = active_model(connection)
            chunks = chunk_count(connection, model.chunker_id) if model else 0
            covered = coverage(connection, model)[0] if model else 0
            failed = failures(connection) | self._pipeline.refused()
            warned = warnings(connection)
        embedded = self._pipeline.tally.embedded - before.embedded
        return IndexReport(
            files=held.files,
            entries=held.entries,
            chunks=chunks,
            embedded=embedded,
            reused=max(0, covered - embedded),
            removed=self._pipeline.tally.removed - before.removed,
            failures=tuple(sorted(failed.items())),
            warnings=tuple(warned),
            seconds=seconds,
        )

    def _claim(self) -> None:
        """Note that all that is stored was read by this version."""
        with self._database.write() as connection:
            set_meta(connection, "read_by", __version__)
        self._is_ours = True

    def _emit(self, event: IndexEvent) -> None:
        try:
            if event.kind == "idle" and not self._is_ours:
                self._claim()
            self._on_event(event)
        except Exception:  # the boundary to whoever listens: their fault must not end the writer
            log.exception("a listener of index events failed")
