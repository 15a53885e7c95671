"""The index is damaged while the daemon runs: the next answers come from a new one, and status says what happened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from khoj_ls.store.hnsw_vectors import hnsw_available

pytestmark = [pytest.mark.model, pytest.mark.skipif(os.name == "nt", reason="files in use cannot be touched there")]

NOTES = {
    f"{name}.md": f"# {name.title()}\n\nThe {name} {what}.\n"
    for name, what in {
        "plum": "tree was pruned in late February",
        "canal": "passes under nine bridges on its way to town",
        "kettle": "whistles on the stove every morning",
        "badger": "digs below the old hawthorn hedge",
        "lighthouse": "keeper counts the ships that pass",
    }.items()
}
FILLING = {f"fill/{number}.md": f"# Fill {number}\n\n" + f"filling {number} words to take pages. " * 60 for number in range(60)}


def overwrite(first: float, length: int) -> Callable[[Path], None]:
    """Write noise over `length` bytes, beginning at a share of the file, and empty its write-ahead log."""

    def damage(database: Path) -> None:
        with database.open("r+b") as stream:
            stream.seek(int(database.stat().st_size * first) // 4096 * 4096)
            stream.write(b"\xa5" * min(length, database.stat().st_size))
        os.truncate(wal(database), 0)

    return damage


def truncate(database: Path) -> None:
    os.truncate(wal(database), 0)
    os.truncate(database, database.stat().st_size // 2 // 4096 * 4096)


def delete(database: Path) -> None:
    for file in database.parent.glob("index.db*"):
        file.unlink()


def delete_folder(database: Path) -> None:
    shutil.rmtree(database.parent)


def wal(database: Path) -> Path:
    return database.with_name("index.db-wal")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (overwrite(0.0, 4096), "was damaged and was built anew"),
        (overwrite(0.3, 1 << 18), "was damaged and was built anew"),
        (overwrite(0.0, 1 << 30), "was damaged and was built anew"),
        (truncate, "was damaged and was built anew"),
        (delete, "was deleted while it was in use, and was built anew"),
        (delete_folder, "was deleted while it was in use, and was built anew"),
    ],
    ids=["head", "middle", "all", "truncated", "deleted", "folder deleted"],
)
def test_all_notes_are_found_again_and_status_says_what_happened(shell, request, damage, told):
    name = request.node.callspec.id.replace(" ", "-")
    vault = shell.vault(f"live-{name}", {**NOTES, **FILLING})
    before = shell("index", vault)
    assert shell.search(vault, "plum pruned February")[0][0] == "plum.md"
    pid = shell("status")["daemon"]["pid"]
    damage(shell.database(vault))
    # An edit makes the daemon write, searches make it read.
    (vault / "edit.md").write_text("# Edit\n\nA heron was seen near the weir.\n")
    after = shell("index", vault)
    assert (after["files"], after["entries"], after["failures"]) == (before["files"] + 1, before["entries"] + 1, [])
    # The edit may have been embedded before anything read the damaged file; nothing else is embedded again.
    assert after["embedded"] <= 1 or damage not in (delete, delete_folder), "open files can still be read"
    for path, text in {**NOTES, "edit.md": "heron seen near the weir"}.items():
        assert shell.search(vault, text.splitlines()[-1])[0][0] == path
    (status,) = shell("status", "--vault", vault)["vaults"]
    assert told in status["message"]
    assert (status["embedded"], status["phase"]) == (after["chunks"], "idle")
    assert shell("status")["daemon"]["pid"] == pid, "the daemon lives on"
    shell("daemon", "stop")
    again = shell("index", vault)
    assert (again["files"], again["embedded"]) == (after["files"], 0), "what was built anew is on disk"


@pytest.mark.skipif(not hnsw_available(), reason="no hnswlib on this machine: exact search serves")
@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"\xa5" * 5000), Path.unlink], ids=["overwritten", "deleted"])
def test_a_damaged_vector_index_costs_nothing(make_shell, damage):
    shell = make_shell()
    shell("config", "set", "search.exact_vectors_below", "0")
    vault = shell.vault("vectors", NOTES)
    chunks = shell("index", vault)["chunks"]
    assert shell.search(vault, "fruit trees in winter", mode="dense")[0][0] == "plum.md"
    shell("daemon", "stop")
    (cache,) = shell.database(vault).parent.glob("*.hnsw")
    for running in (False, True):
        if not running or cache.exists():
            damage(cache)
        assert shell.search(vault, "fruit trees in winter", mode="dense")[0][0] == "plum.md"
        (status,) = shell("status", "--vault", vault)["vaults"]
        assert (status["vectors"], status["embedded"]) == ("hnsw", chunks)
