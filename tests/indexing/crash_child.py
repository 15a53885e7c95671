"""Indexes a vault until it is done or killed: `python crash_child.py ROOT DATABASE LOG`."""

from __future__ import annotations

import sys
from pathlib import Path

from indexing_toys import TOOLS, ToyEncoder, ToyRegistry

from khoj_ls.config.settings import EmbeddingSettings, IndexSettings, Settings
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.store.database import Database

if __name__ == "__main__":
    root, database, log = map(Path, sys.argv[1:])
    settings = Settings(index=IndexSettings(parser_workers=1), embedding=EmbeddingSettings(batch_tokens=40))
    indexer = Indexer(root, Database(database), ToyRegistry(), ToyEncoder(log=log), settings, lambda event: None, tools=TOOLS)
    indexer.start(watch=False)
    indexer.index()
    indexer.close()
