"""What screen_colours makes of a screen as tmux gives it."""

from __future__ import annotations

import pytest
from screen_colours import unreadable

ESC = "\x1b["


@pytest.mark.parametrize(
    ("screen", "background", "expected"),
    [
        ("plain words", "dark", []),
        (f"{ESC}30mblack on black{ESC}0m and not", "dark", [("black on black", 1.0)]),
        (f"{ESC}30mblack on white", "light", []),
        (f"{ESC}97mwhite\non white", "light", [("white", 1.0), ("on white", 1.0)]),
        (f"{ESC}38;5;249m{ESC}48;5;62mgrey on blue{ESC}39m plain on blue", "dark", [("grey on blue", 2.4)]),
        (f"{ESC}38;2;250;250;250mnearly white", "light", [("nearly white", 1.0)]),
        (f"{ESC}7mswapped{ESC}27m back", "light", []),
        (
            f"{ESC}30;48;5;16m▌ ─ {ESC}4:3;58;2;255;0;0;1mcurly {ESC}4:0;58:2::255:0:0mgone",
            "dark",
            [("curly", 1.0), ("gone", 1.0)],
        ),
    ],
)
def test_what_cannot_be_read(screen, background, expected):
    assert unreadable(screen, background) == expected
