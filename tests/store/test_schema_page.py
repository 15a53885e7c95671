"""docs/schema.md names every table and column there is, and its example queries run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from khoj_ls.store.conversations_file import ConversationsFile

INDEX, CONVERSATIONS = (Path(__file__).parents[2] / "docs" / "schema.md").read_text().split("\n# The conversations\n")


@pytest.fixture(params=["index", "conversations"])
def ask(request, database, tmp_path):
    """A part of the page, and what a question makes of a connection to the database that it describes."""
    if request.param == "index":

        def read(question):
            with database.read() as connection:
                return question(connection)

        yield INDEX, read
    else:
        file = ConversationsFile(tmp_path / "conversations.db")
        yield CONVERSATIONS, file.read
        file.close()


def columns_by_table(connection):
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    own = [
        name for (name,) in tables if "fts" not in name and "vocab" not in name and not name.startswith(("_sqlite", "sqlite_"))
    ]
    return {name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for name in own}


def test_every_table_and_column_is_documented(ask):
    page, read = ask
    documented = {
        name: set(re.findall(r"`(\w+)`", columns))
        for name, columns in re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", page, re.MULTILINE)
    }
    assert documented == read(columns_by_table)


def test_the_example_queries_run(ask):
    page, read = ask
    [block] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    for statement in filter(str.strip, block.split(";")):
        read(lambda connection, statement=statement: connection.execute(statement).fetchall())
