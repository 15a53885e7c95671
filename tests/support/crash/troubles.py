"""What happens around the program: full disks, rights that are missing, folders that are others, a machine that sleeps."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import psutil
from crash.ground import LOST, Ground, Hung
from crash.kills import busy, moment, suspended
from crash.workload import Workload

from khoj_ls.core.errors import KhojError

_DISK = 96 * 1024 * 1024
_FAKETIME = tuple(
    Path(folder) / "faketime" / "libfaketimeMT.so.1"
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
)
"""Where Debian's package libfaketime puts it."""
_DROP_FROM_BOUNDING_SET, _OVERRIDE, _READ_SEARCH = 24, 1, 2
"""PR_CAPBSET_DROP, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: see prctl(2) and capabilities(7)."""


def disk(ground: Ground) -> None:
    """Where root may mount: a small disk of its own for what is kept of vaults."""
    folder = ground.data / "vaults"
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=700", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        ground.at_end.append(lambda: subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False))


def obey_permissions() -> None:
    """From now on the processes that are started obey the rights of files, also where they are root's."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (_OVERRIDE, _READ_SEARCH):
            libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


def full_disk(ground: Ground, work: Workload, random: Random) -> str:
    """No space is left while notes are indexed; a daemon may be killed meanwhile."""
    if not (ground.data / "vaults").is_mount():
        return "there is no small disk: nothing was done"
    ground.ask("reindex")
    filling = ground.data / "vaults" / "filling"
    left = random.choice((0, 0, 3 * 4096, 100_000, 400_000))
    with busy(ground, work):
        with filling.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
            while stream.write(bytes(1 << 16)):
                pass
        if left:
            os.truncate(filling, max(0, filling.stat().st_size - left))
        moment(random)
        for _ in range(6):
            work.write()
        killed = random.random() < 0.5 and ground.kill_daemon()
        time.sleep(random.random())
        told = _told(ground)
        filling.unlink()
    _resumed(ground)
    return f"the disk was full but for {left} bytes{', the daemon was killed' if killed else ''}: {told}"


def small_files_only(ground: Ground, work: Workload, random: Random) -> str:
    """No file may become longer than it is (RLIMIT_FSIZE), as with a quota."""
    ground.ask("reindex")
    pid = ground.pid
    if pid is None:
        return "no daemon runs: nothing was done"
    process = psutil.Process(pid)
    size = max(path.stat().st_size for path in ground.own.glob("*.db*"))
    before = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (size // 4096 * 4096, before[1]))
    with busy(ground, work):
        moment(random)
        for _ in range(10):
            work.write()
        time.sleep(random.random())
        told = _told(ground)
        with contextlib.suppress(psutil.Error):
            process.rlimit(psutil.RLIMIT_FSIZE, before)
    _resumed(ground)
    return f"no file might be longer than {size} bytes: {told}"


def permissions(ground: Ground, work: Workload, random: Random) -> str:
    """Rights are taken away from what the daemon writes or reads, and given back."""
    places = [ground.own, ground.vault, *ground.own.glob("*.db*"), *work.notes()[:5]]
    path = random.choice(places)
    with _without(path, 0o555 if path.is_dir() and random.random() < 0.5 else 0):
        killed = random.random() < 0.5 and ground.kill_daemon()
        told = _told(ground)
    _resumed(ground)
    return f"{path.name} had no rights{', the daemon was killed' if killed else ''}: {told}"


@contextlib.contextmanager
def _without(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.chmod(before)


def another_vault(ground: Ground, work: Workload, random: Random) -> str:
    """The vault's folder is away, empty, or another one; then it is back."""
    away = ground.base / "away"
    way = random.choice(("away", "empty", "others"))
    with busy(ground, work):
        moment(random)
    running = random.random() < 0.7
    if not running:
        ground.stop()
    ground.vault.rename(away)
    if way != "away":
        ground.vault.mkdir()
    if way == "others":
        (ground.vault / "stranger.md").write_text("# Stranger\n\nNot a note of mine.\n")
    told = _told(ground)
    if way != "away":
        for path in ground.vault.iterdir():
            path.unlink()
        ground.vault.rmdir()
    away.rename(ground.vault)
    _resumed(ground)
    return f"{way}, {'running' if running else 'not running'}: {told}"


def clock(ground: Ground, work: Workload, random: Random) -> str:
    """The clock jumps forth and back while notes are written and indexed; some files are from the future."""
    library = next((path for path in _FAKETIME if path.exists()), None)
    if library is None:
        return "there is no libfaketime: nothing was done"
    ground.stop()
    offset = ground.base / "clock"
    offset.write_text("+0")
    # The kernel's own times of files stay as they are, as does the clock that only counts: it never jumps.
    fake = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1"}
    fake |= {"NO_FAKE_STAT": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    jumps = random.sample(("+10y", "-10y", "+1d", "-1d", "+90s", "-90s", "+0"), 4)
    os.environ.update(fake)
    try:
        ground.ask("reindex")
        with busy(ground, work):
            for jump in jumps:
                offset.write_text(jump)
                moment(random)
                work.write()
                note = random.choice(work.notes())
                with contextlib.suppress(FileNotFoundError):
                    os.utime(note, (time.time() + random.choice((-1, 1)) * 10**8,) * 2)
        told = _told(ground)
    finally:
        for name in fake:
            del os.environ[name]
        ground.stop()
    _resumed(ground)
    return f"the clock went {', '.join(jumps)}: {told}"


def _told(ground: Ground) -> str:
    """What the program says while the trouble lasts."""
    words = []
    for method, params in (("reindex", {}), ("search", {"query": "river", "mode": "lexical"}), ("status", {})):
        try:
            answer = ground.ask(method, **params)
            words.append(answer["vaults"][0]["message"] if method == "status" and answer["vaults"] else f"{method} answers")
        except (KhojError, *LOST) as error:
            words.append(f"{method}: {error}"[:200])
    return "; ".join(filter(None, words))


def _resumed(ground: Ground) -> None:
    """The trouble is over; what waits for its next try may be asked to try at once."""
    with contextlib.suppress(KhojError, Hung):
        ground.ask("reindex")


TROUBLES: tuple[Callable[[Ground, Workload, Random], str], ...] = (
    *(full_disk,) * 2,
    small_files_only,
    *(permissions,) * 2,
    *(another_vault,) * 2,
    clock,
    suspended,
)
"""The more often named, the more often done."""
