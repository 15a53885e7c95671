"""The telling words of a text, and about how many entries hold them."""

from __future__ import annotations

import pytest

from khoj_ls.search.keyterms import key_terms
from khoj_ls.search.statistics import StatisticsCache


@pytest.fixture
def terms(vault):
    """The telling words of a text among 900 entries: `common` in all, `third` in 301, `seldom` in four, `single` in one."""
    common = [f"## {at}\n\ncommon{' third' if at % 3 == 0 else ''}{' seldom' if at < 3 else ''}" for at in range(899)]
    vault.put("many.md", "\n".join(common), embedded=False)
    vault.put("one.md", "single seldom third common, common", embedded=False)

    def told(text, most=10, **options):
        with vault.database.read() as connection:
            return key_terms(connection, StatisticsCache().of(connection, None), text, most, **options)

    return told


def test_the_rarest_come_first_with_how_many_entries_hold_them(terms):
    found = terms("common third seldom single nowhere")
    assert list(found) == ["seldom", "third", "common"]
    assert found["seldom"] == 4
    assert found["third"] == 301
    assert found["common"] == pytest.approx(900, rel=0.1)


@pytest.mark.parametrize(
    ("text", "most", "least", "found"),
    [
        ("common third seldom single nowhere", 2, 2, ["seldom", "third"]),
        ("common third seldom single nowhere", 10, 1, ["single", "seldom", "third", "common"]),
        ("common third seldom single nowhere", 10, 0, ["nowhere", "single", "seldom", "third", "common"]),
        ("nowhere", 10, 2, []),
        ("", 10, 2, []),
        ('third" OR seldom', 10, 2, ["seldom", "third"]),
    ],
)
def test_as_many_as_are_wanted_and_stand_in_entries_enough(terms, text, most, least, found):
    assert list(terms(text, most, least=least)) == found
