"""How soon an editor that is started on a note has its first hover, beyond its own start; the daemon runs and is warm.

    python -m benchmarks.editors [--runs 20] [--only nvim] [--vault ~/notes --note router.md --line 3]

Each editor is started twice a round, one after the other: to show the note and no more, and to show it, connect, and have the
hover at that line; the figure is the difference. What waits for a person is left out: the pause after which Emacs asks for
what it shows (`eldoc-idle-delay`, half a second), the key K. Editors that are not here are passed over.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from khoj_ls.daemon import launch

TOP = Path(__file__).parents[2]
HERE = Path(__file__).parent
OTHERS = TOP / "editors" / "others"
READY = b"ready"
GOAL_SECONDS = 0.5
_LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Lane:
    """An editor as it is set up."""

    name: str
    command: tuple[str, ...]
    """Starts it; it prints `ready` when it is where $UNTIL wants it: `shown` or `hover`."""
    setup: str
    """What it loads besides: the value of $SETUP."""


@dataclass(frozen=True)
class Times:
    """Seconds until an editor was ready."""

    clock: float
    processor: float
    """Of the editor itself: what other work on the machine lengthens less."""


def lanes(scratch: Path) -> Iterator[Lane]:
    """The editors that are here. Emacs' client is compiled below `scratch`, as it is where a package manager installs it."""
    if (nvim := _program("nvim", TOP / ".editors" / "nvim" / "bin" / "nvim")) is not None:
        start: tuple[str, ...] = (nvim, "--headless", "-u", "NONE", "-i", "NONE", "-l", str(HERE / "first_hover.lua"))
        yield Lane("Neovim, nothing but its own client", start, str(OTHERS / "nvim" / "init.lua"))
        yield Lane("Neovim, editors/nvim", start, str(TOP / "editors" / "nvim"))
    if Path("/usr/share/emacs/site-lisp/elpa").is_dir() and (emacs := _program("emacs")) is not None:
        compiled = Path(shutil.copytree(TOP / "editors" / "emacs", scratch / "emacs"))
        compiling = [emacs, "--batch", "-f", "package-initialize", "-L", str(compiled), "-f", "batch-byte-compile"]
        subprocess.run([*compiling, *map(str, compiled.glob("*.el"))], check=True, capture_output=True)
        start = (emacs, "--batch", "-f", "package-initialize", "-l", str(HERE / "first-hover.el"))
        yield Lane("Emacs, Eglot", start, str(OTHERS / "emacs" / "eglot.el"))
        yield Lane("Emacs, lsp-mode", start, str(OTHERS / "emacs" / "lsp-mode.el"))
        yield Lane("Emacs, editors/emacs", start, str(compiled / "khoj-ls.el"))
    if Path("/usr/share/vim-ale").is_dir() and (vim := _program("vim")) is not None:
        start = (vim, "-u", "NONE", "-n", "-es", "-S", str(HERE / "first_hover.vim"))
        yield Lane("Vim, ALE", start, str(OTHERS / "vim" / "ale.vim"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a goal is missed or an editor fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", default="", help="part of an editor's name")
    parser.add_argument("--vault", type=Path, default=TOP / "examples" / "vault", help="is copied")
    parser.add_argument("--note", default="homelab/evenings-without-wifi.md", help="of the vault")
    parser.add_argument("--line", type=int, default=8, help="from 1; something there must have a hover")
    options = parser.parse_args(arguments)
    # A daemon's socket has a path of at most some 100 bytes.
    base = Path(tempfile.mkdtemp(prefix="khoj-")).resolve()
    os.environ["KHOJ_LS_HOME"] = str(base / "home")
    notes = base / "notes"
    environment = {
        **os.environ,
        "HOME": str(base),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "NOTE": str(notes / options.note),
        "LINE": str(options.line),
    }
    try:
        shutil.copytree(options.vault, notes)
        subprocess.run([sys.executable, "-m", "khoj_ls", "index", str(notes)], check=True, stderr=subprocess.DEVNULL)
        chosen = [lane for lane in lanes(base) if options.only.lower() in lane.name.lower()]
        if not chosen:
            print("none of these editors is here: tests/editors/install.sh installs them")
        return 0 if all([_report(lane, environment, notes, options.runs) for lane in chosen]) else 1
    finally:
        launch.stop()
        shutil.rmtree(base, ignore_errors=True)


def _program(name: str, *places: Path) -> str | None:
    return next((str(place) for place in places if os.access(place, os.X_OK)), shutil.which(name))


def _report(lane: Lane, environment: dict[str, str], folder: Path, runs: int) -> bool:
    environment = {**environment, "SETUP": lane.setup}
    for until in ("shown", "hover"):  # the first start of all compiles
        _start(lane, {**environment, "UNTIL": until}, folder)
    rounds = [[_start(lane, {**environment, "UNTIL": until}, folder) for until in ("shown", "hover")] for _ in range(runs)]
    beyond = sorted(hover.clock - shown.clock for shown, hover in rounds)
    computed = statistics.median(hover.processor - shown.processor for shown, hover in rounds)
    median = statistics.median(beyond)
    print(
        f"{lane.name}: first hover {median * 1000:.0f} ms beyond its own start of "
        f"{statistics.median(shown.clock for shown, _ in rounds) * 1000:.0f} ms, at most {beyond[-1] * 1000:.0f} ms; "
        f"{computed * 1000:.0f} ms of it computing ({runs} runs, goal {GOAL_SECONDS * 1000:.0f} ms)",
        flush=True,
    )
    return median <= GOAL_SECONDS


def _start(lane: Lane, environment: dict[str, str], folder: Path) -> Times:
    """Start the editor, and end it when it is ready."""
    begin = time.perf_counter()
    editor = subprocess.Popen(
        lane.command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert editor.stdout is not None
    with editor.stdout:
        end, said = begin + _LONGEST_SECONDS, b""
        while READY not in said and (more := os.read(editor.stdout.fileno(), 4096)) and time.perf_counter() < end:
            said += more
        elapsed = time.perf_counter() - begin
        os.kill(editor.pid, signal.SIGKILL)  # not editor.kill(), which would take the times of one that has ended
        _, editor.returncode, usage = os.wait4(editor.pid, 0)
    if READY not in said:
        raise SystemExit(f"{lane.name}: {said.decode(errors='replace')}")
    return Times(elapsed, usage.ru_utime + usage.ru_stime)


if __name__ == "__main__":
    sys.exit(main())
