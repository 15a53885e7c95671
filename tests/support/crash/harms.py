"""Files of the program that are damaged: cut, overwritten, deleted, replaced by older ones; in use and at rest."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from crash.ground import Ground, Hung
from crash.kills import busy, moment
from crash.workload import Workload

from khoj_ls.cli.repairs import repairs
from khoj_ls.config.paths import folders
from khoj_ls.core.errors import KhojError

PAGE = 4096


def cut(path: Path, random: Random) -> str:
    """The end is missing."""
    size = path.stat().st_size
    left = random.choice((0, 1, size // 2 // PAGE * PAGE, random.randint(0, size), max(0, size - PAGE)))
    with path.open("r+b") as stream:
        stream.truncate(left)
    return f"cut from {size} to {left} bytes"


def noise(path: Path, random: Random) -> str:
    """A piece is something else."""
    return _write(path, random, random.randbytes(random.choice((1, 16, 512, PAGE, 10 * PAGE))), "noise")


def zeros(path: Path, random: Random) -> str:
    """A piece was never written, as after a power cut."""
    return _write(path, random, bytes(random.choice((512, PAGE, 4 * PAGE))), "zeros")


def bits(path: Path, random: Random) -> str:
    """Some bits are turned."""
    data = bytearray(path.read_bytes())
    places = [random.randrange(len(data)) for _ in range(random.choice((1, 1, 3, 20)))] if data else []
    for place in places:
        data[place] ^= 1 << random.randrange(8)
    with path.open("r+b") as stream:
        stream.write(data)
    return f"bits turned at {places}"


def swapped(path: Path, random: Random) -> str:
    """Two pages lie in each other's place."""
    data = path.read_bytes()
    if len(data) < 2 * PAGE:
        return noise(path, random)
    one, other = sorted(random.sample(range(len(data) // PAGE), 2))
    with path.open("r+b") as stream:
        stream.seek(one * PAGE)
        stream.write(data[other * PAGE : (other + 1) * PAGE])
        stream.seek(other * PAGE)
        stream.write(data[one * PAGE : (one + 1) * PAGE])
    return f"pages {one} and {other} swapped"


def head(path: Path, random: Random) -> str:
    """The first bytes, which say what the file is."""
    with path.open("r+b") as stream:
        stream.write(random.randbytes(random.choice((16, 100))))
    return "the head is noise"


def deleted(path: Path, random: Random) -> str:
    """It is gone."""
    path.unlink()
    return "deleted"


def longer(path: Path, random: Random) -> str:
    """There is more than there was."""
    with path.open("ab") as stream:
        stream.write(random.randbytes(random.choice((7, PAGE))))
    return "something was added"


def _write(path: Path, random: Random, data: bytes, what: str) -> str:
    size = path.stat().st_size
    start = random.randrange(max(1, size))
    data = data[: max(1, size - start)]
    with path.open("r+b") as stream:
        stream.seek(start)
        stream.write(data)
    return f"{len(data)} bytes of {what} at {start} of {size}"


WAYS: tuple[Callable[[Path, Random], str], ...] = (cut, noise, noise, zeros, bits, bits, swapped, head, deleted, longer)


def index(ground: Ground, work: Workload, random: Random) -> str:
    """The index, while the program does not run."""
    return _at_rest(ground, work, random, "index.db")


def index_in_use(ground: Ground, work: Workload, random: Random) -> str:
    """The index, under the hands of the daemon."""
    ground.ask("reindex")
    with busy(ground, work):
        moment(random)
        told = _damage(ground.database, random)
    return told


def log_of_index(ground: Ground, work: Workload, random: Random) -> str:
    """The write-ahead log that a killed daemon has left, or the list of its pages."""
    with busy(ground, work):
        moment(random)
        ground.kill_daemon()
    return _damage(ground.database.with_name(random.choice(("index.db-wal", "index.db-wal", "index.db-shm"))), random)


def vectors(ground: Ground, work: Workload, random: Random) -> str:
    """The HNSW file, or what describes it."""
    ground.ask("search", query="river bread", mode="dense")
    ground.stop()
    files = sorted(ground.own.glob("vectors-*"))
    return _damage(random.choice(files), random) if files else "there is no HNSW file"


def conversations(ground: Ground, work: Workload, random: Random) -> str:
    """The kept conversations, or their log."""
    ground.chat(f"What about rivers, {random.random()}?")
    name = random.choice(("conversations.db", "conversations.db", "conversations.db-wal"))
    if name.endswith("wal") or random.random() < 0.3:
        ground.kill_daemon()
        told = _damage(ground.own / name, random)
    else:
        told = _at_rest(ground, work, random, name)
    # What the file has lost nobody can bring back; what it still has must stay from here on.
    ground.asked.clear()
    return told


def queue(ground: Ground, work: Workload, random: Random) -> str:
    """The deliveries that wait."""
    ground.stop()
    return _damage(ground.data / "webhooks" / "queue.db", random)


def small_files(ground: Ground, work: Workload, random: Random) -> str:
    """Locks, settings, notes to itself."""
    ground.stop()
    run = ground.home / "run"
    path = random.choice((ground.own / "root.txt", ground.own / "writer.lock", run / "daemon.lock", run / "start.lock"))
    told = _damage(path, random)
    if path.name == "root.txt":
        ground.ask("status")  # it is written anew when the vault is opened
    return told


def older(ground: Ground, work: Workload, random: Random) -> str:
    """The index of some time ago is put back, as from a backup."""
    ground.stop()
    kept = ground.base / "older.db"
    shutil.copyfile(ground.database, kept)
    work.some(8)
    with contextlib.suppress(KhojError, Hung):
        ground.ask("reindex")
    ground.stop()
    for path in ground.own.glob("index.db-*"):
        path.unlink()
    shutil.copyfile(kept, ground.database)
    return "an older index was put back"


def while_rebuilding(ground: Ground, work: Workload, random: Random) -> str:
    """The index is damaged, and the daemon is killed while it gets over that."""
    told = _at_rest(ground, work, random, "index.db")
    with busy(ground, work):
        moment(random)
        ground.kill_daemon()
    return f"{told}; killed on the way"


HARMS: tuple[Callable[[Ground, Workload, Random], str], ...] = (
    *(index,) * 5,
    *(index_in_use,) * 4,
    *(log_of_index,) * 3,
    *(vectors,) * 2,
    *(conversations,) * 3,
    queue,
    small_files,
    older,
    *(while_rebuilding,) * 2,
)
"""The more often named, the more often done."""


def repaired(ground: Ground) -> tuple[list[str], list[str]]:
    """Let the program get over a damage by itself, then repair it: what the repair did, and what went wrong with that."""
    wrong = []
    for _ in range(2):
        try:
            ground.ask("search", query="river", mode="lexical")
            ground.ask("reindex")
            break
        except (KhojError, Hung) as error:
            wrong.append(f"it does not get over it: {type(error).__name__}: {error}")
    told = [each["message"] for each in ground.ask("status")["vaults"]] if len(wrong) < 2 else []
    ground.leave_session()
    done = list(repairs(folders(), ground.vault))
    told += [f"{each.name}: {each.message}" for each in done if each.state == "repaired"]
    failed = [f"doctor --repair: {each.name}: {each.message}" for each in done if each.state == "failed"]
    return list(filter(None, told)), (wrong if len(wrong) == 2 else []) + failed


def _at_rest(ground: Ground, work: Workload, random: Random, name: str) -> str:
    if random.random() < 0.5:
        ground.stop()
    else:
        with busy(ground, work):
            moment(random)
            ground.kill_daemon()
    return _damage(ground.own / name, random)


def _damage(path: Path, random: Random) -> str:
    if not path.exists():
        return f"{path.name} is not there"
    way = random.choice(WAYS)
    return f"{path.name}: {way(path, random)}"
