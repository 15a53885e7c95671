"""A vault whose user has plugins, read by words alone: no model is needed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import wait_until

from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import DaemonSettings, EmbeddingSettings, IndexSettings, PluginSettings, RerankSettings, Settings
from khoj_ls.search.types import SearchHit, SearchRequest
from khoj_ls.vault import Vault
from khoj_ls.vaults import OpenVaults

_NONE = EmbeddingSettings(model="remote")
"""Without an endpoint there is no model."""
_OFF = RerankSettings()


class Notebook:
    """Notes and plugins in a folder of the test."""

    def __init__(
        self,
        folder: Path,
        notes: dict[str, str],
        plugins: dict[str, str],
        settings: dict[str, Any],
        embedding: EmbeddingSettings,
        rerank: RerankSettings,
    ) -> None:
        home = Folders(*(folder / name for name in ("config", "data", "state", "run")))
        for name, text in plugins.items():
            (home.config / "plugins").mkdir(parents=True, exist_ok=True)
            (home.config / "plugins" / f"{name}.py").write_text(f"from khoj_ls.plugins.hookspecs import hookimpl\n{text}")
        root = folder / "vault"
        root.mkdir(parents=True, exist_ok=True)
        for path, text in notes.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        limits = PluginSettings(**{"load_seconds": 5.0, "search_hook_seconds": 5.0, **settings})
        index = IndexSettings(parser_workers=1)
        # In a hurry: on a busy machine what is nice would wait for minutes.
        daemon = DaemonSettings(nice=0)
        whole = Settings(index=index, embedding=embedding, rerank=rerank, plugins=limits, daemon=daemon)
        self.vaults = OpenVaults(whole, home, watch=False)
        self.vault: Vault = self.vaults.open(root, yes=True)
        self.wait()

    def wait(self) -> None:
        """Until every note was read."""
        self.vault.index(wait=False)
        wait_until(lambda: not self.vault.reading, "the notes were read")

    def found(self, query: str, **more: Any) -> list[str]:
        """The notes of hits, in the order of their names."""
        return sorted(hit.path for hit in self._hits(query, **more))

    def lines(self, query: str) -> list[str]:
        """Where hits lead: `path:line`."""
        return [f"{hit.path}:{hit.span.line}" for hit in self._hits(query)]

    def _hits(self, query: str, **more: Any) -> tuple[SearchHit, ...]:
        return self.vault.search(SearchRequest(query, mode="lexical", **more)).hits


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Callable[..., Notebook]]:
    """Makes a Notebook: `notebook({path: text}, name="source of a plugin", failures=1)`."""
    with contextlib.ExitStack() as stack:

        def make(
            notes: dict[str, str],
            settings: dict[str, Any] | None = None,
            *,
            embedding: EmbeddingSettings = _NONE,
            rerank: RerankSettings = _OFF,
            **plugins: str,
        ) -> Notebook:
            made = Notebook(tmp_path, notes, plugins, settings or {}, embedding, rerank)
            stack.callback(made.vaults.close)
            return made

        yield make
