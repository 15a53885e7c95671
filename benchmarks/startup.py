"""How soon it is there: an editor's server with a warm and with no daemon, and the first answers after a cold start.

    python -m benchmarks.startup [--runs 30] [--cold-runs 10] [--editor visual-studio-code]

Beside each figure stands a baseline of the same run, because machines and their load differ.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pygls.protocol import default_converter
from pytest_lsp import client_capabilities

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.daemon.client import DaemonClient
from khoj_ls.embed.presets import resolve_model
from khoj_ls.evaluation.speed.home import throw_away_home
from khoj_ls.evaluation.speed.own_notes import idle_share
from khoj_ls.evaluation.speed.rows import Row, lines, row
from khoj_ls.evaluation.speed.starting import first_answer_rows, program, start_rows

_SETTLE_SECONDS, _IDLE_SECONDS = 3.0, 20.0
EXAMPLES = Path(__file__).parents[1] / "examples" / "vault"


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--cold-runs", type=int, default=10)
    parser.add_argument("--editor", default="visual-studio-code", help="whose capabilities: visual-studio-code, neovim, emacs")
    options = parser.parse_args()
    found = list(rows(options.runs, options.cold_runs, options.editor))
    print("\n".join(lines(found)))
    return int(any(row.met is False for row in found))


def rows(runs: int = 20, cold_runs: int = 7, editor: str = "visual-studio-code") -> Iterator[Row]:
    """Its rows. An editor's capabilities are what a real one says of itself: reading them is a good part of answering."""
    capabilities: dict[str, Any] = dict(default_converter().unstructure(client_capabilities(editor)))
    with throw_away_home():
        yield from start_rows(runs, cold_runs, capabilities)
        subprocess.run([*program(), "index", str(EXAMPLES)], check=True, capture_output=True)
        yield from first_answer_rows(EXAMPLES, resolve_model(EmbeddingSettings()).source, cold_runs)
        with DaemonClient.connect() as daemon:
            daemon.call("khoj/reindex", {"vault": str(EXAMPLES)})
            time.sleep(_SETTLE_SECONDS)
            note = f"all processes, a vault open and watched, over {_IDLE_SECONDS:g} s"
            yield row("idle: share of one core", idle_share(daemon.pid, _IDLE_SECONDS), note=note)


if __name__ == "__main__":
    sys.exit(main())
