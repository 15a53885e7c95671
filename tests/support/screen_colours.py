"""What of a terminal's screen can be read: the colours of each text, as tmux tells them, and how far apart they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Colour = tuple[int, int, int]
Background = Literal["dark", "light"]

BASE: tuple[Colour, ...] = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
"""The colours that have names, as xterm has them."""
STEPS = (0, 95, 135, 175, 215, 255)
OWN: dict[Background, tuple[Colour, Colour]] = {"dark": ((229, 229, 229), (0, 0, 0)), "light": ((0, 0, 0), (255, 255, 255))}
"""Text and background where a program sets none."""


def unreadable(screen: str, background: Background, least: float = 2.5) -> list[tuple[str, float]]:
    """Texts of a screen that are too much like what is behind them, with their contrast (1 to 21, as WCAG 2 has it)."""
    found = [(text.strip(), round(contrast(front, back), 1)) for text, front, back in texts(screen, background)]
    return [(text, ratio) for text, ratio in found if ratio < least and re.search(r"\w", text)]


def texts(screen: str, background: Background) -> Iterator[tuple[str, Colour, Colour]]:
    """Each stretch of `tmux capture-pane -e` in one pair of colours: the text, its colour, and the one behind it."""
    own = OWN[background]
    front, back, swapped = own[0], own[1], False
    for codes, text in re.findall(r"(?:\x1b\[([\d;:]*)m|\A)([^\x1b]*)", screen):
        numbers = iter([code for code in codes.split(";") if ":" not in code])  # with colons: how underlines look
        for code in (int(number or 0) for number in numbers):
            if code == 0:
                front, back, swapped = own[0], own[1], False
            elif code in (7, 27):
                swapped = code == 7
            elif code in (38, 48, 58):
                colour = _extended(numbers)
                front, back = (colour, back) if code == 38 else (front, colour) if code == 48 else (front, back)
            elif code in (39, 49):
                front, back = (own[0], back) if code == 39 else (front, own[1])
            elif 30 <= code <= 37 or 90 <= code <= 97:
                front = BASE[code - 30 if code < 40 else code - 82]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                back = BASE[code - 40 if code < 50 else code - 92]
        for line in text.split("\n"):
            yield line, *((back, front) if swapped else (front, back))


def _extended(numbers: Iterator[str]) -> Colour:
    """The colour behind 38, 48 or 58: one of 256, or red, green and blue."""
    if next(numbers) == "2":
        return int(next(numbers)), int(next(numbers)), int(next(numbers))
    index = int(next(numbers))
    if index < 16:
        return BASE[index]
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return grey, grey, grey
    return STEPS[(index - 16) // 36], STEPS[(index - 16) // 6 % 6], STEPS[(index - 16) % 6]


def contrast(one: Colour, other: Colour) -> float:
    """1 for the same colour, 21 for black and white."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in (value / 255 for value in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
