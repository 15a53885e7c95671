"""Numbers as their cells show them; what is right was looked up in a spreadsheet program or its specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khoj_ls.content.number_format import built_in_code, shown_number

SHOWN = [
    (1234.5, "General", "1234.5"),
    (0.1 + 0.2, "General", "0.3"),
    (1e20, "General", "1E+20"),
    (1234.5, "#,##0.00", "1,234.50"),
    (1234567, "#,##0,", "1,235"),
    (1500, '0.0,"k"', "1.5k"),
    (0.125, "0%", "13%"),
    (2.5, "0", "3"),
    (-0.001, "0.00", "0.00"),
    (-5, "0;(0)", "(5)"),
    (0, '0;-0;"zero"', "zero"),
    (5551234, "000-0000", "555-1234"),
    (7, "00000", "00007"),
    (3.14159, "0.##", "3.14"),
    (3, "0.##", "3"),
    (0.5, "#.00", ".50"),
    (0.5, "# ?/?", "1/2"),
    (2.25, "# ??/??", "2 1/4"),
    (2.4, "# ?/8", "2 3/8"),
    (0.00012, "0.00E+00", "1.20E-04"),
    (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
    (-1234, "#,##0_);[Red](#,##0)", "(1,234)"),
    (0, '_-* #,##0.00 "€"_-;-* #,##0.00 "€"_-;_-* "-"?? "€"_-;_-@_-', "- €"),
    (1500, '[>=1000]0.0,"k";0', "1.5k"),
    (500, '[>=1000]0.0,"k";0', "500"),
    (45413, "yyyy-mm-dd", "2024-05-01"),
    (45413, 'dd"."mm"."yyyy', "01.05.2024"),
    (45413, "[$-409]mmmm d, yyyy;@", "May 1, 2024"),
    (45413, "ddd d-mmm-yy", "Wed 1-May-24"),
    (45413.5, "d/m/yy h:mm AM/PM", "1/5/24 12:00 PM"),
    (45413.75, "hh:mm", "18:00"),
    (45413.521, "mm:ss.0", "30:14.4"),
    (1.5, "[h]:mm:ss", "36:00:00"),
    (60, "yyyy-mm-dd", "1900-02-28"),
    (59, "yyyy-mm-dd", "1900-02-28"),
    (1, "yyyy-mm-dd", "1900-01-01"),
    (3_000_000, "yyyy-mm-dd", "3000000"),
    (-1, "yyyy-mm-dd", "-1"),
    (float("inf"), "0", "inf"),
]


@pytest.mark.parametrize(("value", "code", "shown"), SHOWN)
def test_numbers_as_they_are_shown(value, code, shown):
    assert shown_number(value, code) == shown


@pytest.mark.parametrize(
    ("number", "code"), [(0, "General"), (9, "0%"), (14, "yyyy-mm-dd"), (31, "yyyy-mm-dd"), (999, "General")]
)
def test_formats_without_a_code(number, code):
    assert built_in_code(number) == code


@given(st.floats(), st.text(alphabet='0#?.,%/@eE+-;"\\_*[]<>=$yYmMdDhHsSaApPGeneral :1', max_size=30))
def test_any_number_has_some_text_in_any_format(value, code):
    assert isinstance(shown_number(value, code), str)
