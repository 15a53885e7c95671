"""docs/schema.md names every table and column there is, and its example queries run."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "schema.md").read_text()


def test_every_table_and_column_is_documented(database):
    documented = {
        name: set(re.findall(r"`(\w+)`", columns))
        for name, columns in re.findall(r"^\| `(\w+)` \|[^|]*\|(.*)\|$", PAGE, re.MULTILINE)
    }
    with database.read() as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        own = [name for (name,) in tables if "fts" not in name and "vocab" not in name and not name.startswith("_sqlite")]
        actual = {name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")} for name in own}
    assert documented == actual


def test_the_example_queries_run(database):
    [block] = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    with database.read() as connection:
        for statement in filter(str.strip, block.split(";")):
            connection.execute(statement).fetchall()
