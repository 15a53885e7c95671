"""What is counted is counted again when it has changed, and what vectors cover as soon as they cover everything."""

from __future__ import annotations

from dataclasses import replace

from khoj_ls.search.statistics import StatisticsCache

TEXT = "# Plum\n\nThe tree was pruned.\n"


def test_counts_and_coverage_follow_the_index(vault):
    cache = StatisticsCache()

    def seen(model=vault.model):
        with vault.database.read() as connection:
            statistics = cache.of(connection, model)
        return statistics.entries, statistics.notes, statistics.coverage

    assert seen() == (0, 0, 1.0)
    vault.put("plum.md", TEXT)
    assert seen() == (1, 1, 1.0)
    vault.put("canal.md", "# Canal\n\nNine bridges.\n", embedded=False)
    assert seen() == (2, 2, 0.5)
    vault.put("canal.md", "# Canal\n\nNine bridges.\n")
    assert seen() == (2, 2, 1.0)
    vault.put("kettle.md", "# Kettle\n\nIt whistles.\n", embedded=False)
    assert seen() == (3, 3, 2 / 3)
    # Of another model, for which as much waits, nothing is known from the one before.
    with vault.database.write() as connection:
        connection.execute("INSERT INTO pending SELECT 99, hash, text, tokens, private, priority FROM pending")
    assert seen(replace(vault.model, id=99, chunker_id=99))[2] == 0.0
