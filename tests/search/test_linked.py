"""Whether two notes link each other, told by keys."""

from __future__ import annotations

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.indexing.storing import NAMING
from khoj_ls.search.linked import linked_files
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, replace_file

NOTES = {
    "a/one.md": "---\ntitle: First Note\n---\n[[two]] [x](../b/three.org) [[else/five]]\n",
    "b/two.md": "nothing\n",
    "b/three.org": "* Three\n:PROPERTIES:\n:ID: id-3\n:END:\n",
    "b/four.org": "[[id:id-3]] [[roam:First Note]]\n",
    "b/five.md": "[y](../c/one.md) [one](../a/one.md#x)\n",
    "c/two.md": "`[[one]]`\n",
    "c/six.md": "[[one.md]]\n",
}


@pytest.mark.parametrize(
    ("path", "linked"),
    [
        ("a/one.md", {"b/two.md", "b/three.org", "b/four.org", "b/five.md", "c/two.md", "c/six.md"}),
        ("b/three.org", {"a/one.md", "b/four.org"}),
        ("c/two.md", {"a/one.md"}),
        ("b/five.md", {"a/one.md"}),
    ],
)
def test_linked_files(tmp_path, path, linked):
    database = Database(tmp_path / "index.db")
    with database.write() as connection:
        ids = {
            name: replace_file(
                connection, FileStat(name, 1, 1, 1, 1), b"", parse_file(default_registry(), text.encode(), name), naming=NAMING
            )
            for name, text in NOTES.items()
        }
    with database.read() as connection:
        found = linked_files(connection, ids[path], ids.values())
    database.close()
    assert {name for name, number in ids.items() if number in found} == linked
