"""Numbers of a spreadsheet as their cells show them: `1,234.50 €`, `12%`, `2024-05-01`.

Format codes: ECMA-376, Part 1, 18.8.30 and 18.8.31. What follows the reader's locale in a spreadsheet program follows ISO 8601
and the point as decimal sign here; names of months and days are English.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from khoj_ls.content.date_format import is_date_code, shown_date

_ISO_DAY, _ISO_MINUTE = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"
_BUILT_IN = MappingProxyType(
    {
        0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "#,##0", 6: "#,##0", 7: "#,##0.00", 8: "#,##0.00",
        9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: _ISO_DAY, 15: "d-mmm-yy", 16: "d-mmm",
        17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: _ISO_MINUTE,
        37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)",
        41: "#,##0", 42: "#,##0", 43: "#,##0.00", 44: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
        48: "##0.0E+0", 49: "@",
    }
)  # fmt: skip
_EAST_ASIAN_DATES = frozenset((*range(27, 37), *range(50, 59)))
_LONGEST_CODE = 500
_CONTEXT = Context(prec=400)
"""A float has at most 309 digits before the point."""
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*].|\[\$(?P<symbol>[^\]-]*)[^\]]*\]|\[(?P<condition>[<>=]+-?[\d.]+)\]|\[[^\]]*\]'
    r"|(?P<digit>[0#?])|(?P<mark>[.,%/@])|(?P<power>[eE][+-])|(?P<general>General)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(r'(?:"[^"]*"?|\\.|\[[^\]]*\]?|[^;"\\\[])*', re.DOTALL)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)")


def built_in_code(number: int) -> str:
    """The code that a format without one stands for."""
    return _ISO_DAY if number in _EAST_ASIAN_DATES else _BUILT_IN.get(number, "General")


def shown_number(value: float, code: str, *, is_1904: bool = False) -> str:
    """A number as a cell with the format `code` shows it. `is_1904`: whether days are counted from 1904."""
    if not math.isfinite(value):
        return str(value)
    sections = _sections(code[:_LONGEST_CODE])
    section, is_signed = _chosen(sections, value)
    if is_date_code(section.code):
        return shown_date(value, section.code, is_1904) or general(value)
    if section.is_general:
        return general(value)
    return section.shown(value if is_signed else abs(value))


def general(value: float) -> str:
    """A number in the format General."""
    return f"{value:.15g}".replace("e+0", "E+").replace("e-0", "E-").replace("e", "E")


@dataclass(frozen=True)
class _Section:
    """The format for some numbers."""

    code: str
    tokens: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None

    @property
    def is_general(self) -> bool:
        kinds = {kind for kind, _ in self.tokens}
        return "general" in kinds or ("mark", "@") in self.tokens or not kinds

    def shown(self, value: float) -> str:
        digits = [at for at, (kind, _) in enumerate(self.tokens) if kind == "digit"]
        if not digits:
            return _spaced("".join(text for kind, text in self.tokens if kind == "text"))
        if ("mark", "/") in self.tokens[digits[0] :]:
            return self._fraction(value)
        value *= 100 ** self.tokens.count(("mark", "%"))
        if any(kind == "power" for kind, _ in self.tokens):
            return self._power(value, digits)
        return self._decimal(value, digits)

    def _decimal(self, value: float, digits: list[int]) -> str:
        point = next((at for at, token in enumerate(self.tokens) if token == ("mark", ".")), len(self.tokens))
        whole = [at for at in digits if at < point]
        behind = [self.tokens[at][1] for at in digits if at > point]
        last = whole[-1] if whole else -1
        commas = [at for at, token in enumerate(self.tokens) if token == ("mark", ",")]
        value /= 1000 ** sum(at > (last if at < point else digits[-1]) for at in commas)
        grouped = any(whole and whole[0] < at < last for at in commas)
        before, _, after = _rounded(abs(value), min(len(behind), 15)).partition(".")
        least = max((at for at, sign in enumerate(behind, 1) if sign != "#"), default=0)
        while len(after) > least and after.endswith("0"):
            after = after[:-1]
        places = _spread(before.lstrip("0"), [self.tokens[at][1] for at in whole], grouped)
        texts = dict(zip(whole, places, strict=True))
        said = []
        for at, (kind, text) in enumerate(self.tokens):
            if kind == "text":
                said.append(text)
            elif kind == "digit" and at < point:
                said.append(texts[at])
            elif at == point:
                said.append(f".{after}" if after else "")
            elif (kind, text) == ("mark", "%"):
                said.append("%")
        rounded = float(f"{before}.{after or 0}")
        return _spaced(("-" if value < 0 and rounded else "") + "".join(said))

    def _power(self, value: float, digits: list[int]) -> str:
        power = next(at for at, (kind, _) in enumerate(self.tokens) if kind == "power")
        point = next((at for at, token in enumerate(self.tokens) if token == ("mark", ".")), power)
        mantissa, _, exponent = f"{value:.{sum(point < at < power for at in digits)}E}".partition("E")
        sign = "-" if exponent.startswith("-") else "+" if self.tokens[power][1].endswith("+") else ""
        return f"{mantissa}E{sign}{exponent.lstrip('+-0').rjust(sum(at > power for at in digits), '0')}"

    def _fraction(self, value: float) -> str:
        slash = self.tokens.index(("mark", "/"))
        below = "".join(text for kind, text in self.tokens[slash + 1 :] if kind in ("digit", "text")).strip()
        fixed = int(below) if re.fullmatch(r"[1-9]\d{0,4}", below) else 0
        exact = Fraction(abs(value))
        near = Fraction(round(exact * fixed), fixed) if fixed else exact.limit_denominator(10 ** min(len(below), 4) - 1 or 9)
        whole, rest = divmod(near, 1)
        part = f"{int(rest * fixed)}/{fixed}" if fixed and rest else str(rest) if rest else ""
        return ("-" if value < 0 and near else "") + (f"{whole} {part}" if whole and part else part or str(whole))


@lru_cache(maxsize=500)
def _sections(code: str) -> tuple[_Section, ...]:
    found: list[_Section] = []
    at = 0
    while at <= len(code) and len(found) < 4:
        match = _SECTION.match(code, at)
        end = match.end() if match else len(code)
        found.append(_read(code[at:end]))
        at = end + 1
    return tuple(found)


def _read(code: str) -> _Section:
    tokens: list[tuple[str, str]] = []
    condition = None
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup, match[match.lastgroup] if match.lastgroup else ""
        if kind in ("quoted", "escaped", "symbol", "other"):
            tokens.append(("text", text))
        elif kind == "condition":
            told = _CONDITION.fullmatch(text)
            condition = (told[1], float(told[2])) if told else None
        elif kind:
            tokens.append((kind, text))
        elif match[0][:1] == "_":
            tokens.append(("text", " "))
    return _Section(code, tuple(tokens), condition)


def _chosen(sections: tuple[_Section, ...], value: float) -> tuple[_Section, bool]:
    """The section for `value`, and whether the sign is shown: a section for negative numbers shows it in its own way."""
    if any(section.condition for section in sections[:2]):
        for section in sections[:3]:
            if section.condition is None or _holds(section.condition, value):
                return section, True
        return sections[0], True
    numbers = sections[:3]
    if value < 0 and len(numbers) > 1:
        return numbers[1], False
    if value == 0 and len(numbers) > 2:
        return numbers[2], True
    return numbers[0], True


def _holds(condition: tuple[str, float], value: float) -> bool:
    sign, other = condition
    if sign == "<>":
        return value != other
    return (value == other and "=" in sign) or (value < other and "<" in sign) or (value > other and ">" in sign)


def _rounded(value: float, places: int) -> str:
    """As people round, half up, what a cell holds: 15 digits."""
    exact = Decimal(f"{value:.15g}")
    return f"{exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _CONTEXT):f}"


def _spread(number: str, signs: list[str], grouped: bool) -> list[str]:
    """The digits of `number` over the places of a format, from the right; the first place takes what is left over."""
    places: list[str] = []
    rest, count = number, 0
    for at in range(len(signs) - 1, -1, -1):
        digits = rest if at == 0 and rest else rest[-1:] or ("0" if signs[at] == "0" else "")
        rest = "" if at == 0 else rest[:-1]
        said = ""
        for digit in reversed(digits):
            said = digit + ("," if grouped and count and count % 3 == 0 else "") + said
            count += 1
        places.insert(0, said)
    return places


def _spaced(text: str) -> str:
    return " ".join(text.split())
