"""Search profiles: named sets of the numbers that order results, built in and the user's own.

A profile of the user's own stands in a table `[search.profiles.NAME]`: the name of its `base` and the numbers in which it
differs from that. One that is called like a built-in profile changes that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from khoj_ls.config.options import PROFILES, options, suggestion
from khoj_ls.config.settings import SearchSettings, Tuning
from khoj_ls.core.errors import SettingsError, UsageError

DEFAULT = "default"

FALLS_BACK = f"; {DEFAULT} is used"
"""What is said of a profile of the settings that there is not."""

BUILT_IN: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        DEFAULT: MappingProxyType({}),
        "precise": MappingProxyType({"bi_encoder_top_k": 90, "cross_encoder_top_n": 3, "rerank": True, "score_threshold": 0.4}),
        "broad": MappingProxyType(
            {"bi_encoder_top_k": 150, "cross_encoder_top_n": 20, "score_threshold": 0.1, "max_per_file": 5}
        ),
        "recent_focused": MappingProxyType({"recency_bias": 0.3, "recency_decay_days": 30.0}),
    }
)
"""What each built-in profile sets otherwise than the numbers of [search] and the defaults of a Tuning."""

ABOUT: Mapping[str, str] = MappingProxyType(
    {
        DEFAULT: "The order that measured best.",
        "precise": "Few results: read again with the cross-encoder where there is one, and only what is near.",
        "broad": "Many results, from further away, and more of them from one note.",
        "recent_focused": "What is recent comes before what is old.",
    }
)
"""What each built-in profile is for."""


@dataclass(frozen=True)
class Profile:
    """A named set of numbers."""

    name: str
    tuning: Tuning
    about: str
    base: str | None
    """The profile that it differs from; None for a built-in one as it is."""
    source: Literal["built-in", "settings"]
    changes: Mapping[str, Any]
    """The numbers that it sets itself."""


def profile_names(search: SearchSettings) -> tuple[str, ...]:
    """All profiles there are, the built-in ones first."""
    return tuple(dict.fromkeys([*BUILT_IN, *search.profiles]))


def find_profile(search: SearchSettings, name: str) -> Profile:
    """The profile called `name`.

    Raises UsageError when there is none, SettingsError when the profile that it is based on is none, or itself.
    """
    if name not in BUILT_IN and name not in search.profiles:
        raise UsageError(_no_profile(search, name))
    own = search.profiles.get(name)
    if own is None:
        return Profile(name, _tuning(search, name, ()), ABOUT[name], None, "built-in", BUILT_IN[name])
    return Profile(name, _tuning(search, name, ()), ABOUT.get(name, ""), _base(search, name), "settings", _numbers(own))


def chosen_profile(search: SearchSettings, name: str | None) -> Profile:
    """The profile that a question names, else that of the settings. Raises what `find_profile` raises for a name that is given.

    What is wrong with the profile that the settings name was told when they were read, and stops no search: the default holds.
    """
    if name is not None:
        return find_profile(search, name)
    for wanted in (search.profile, DEFAULT):
        try:
            return find_profile(search, wanted)
        except (UsageError, SettingsError):
            continue
    return find_profile(replace(search, profiles=MappingProxyType({})), DEFAULT)


def retuned(tuning: Tuning, numbers: Mapping[str, Any]) -> Tuning:
    """`tuning` with some numbers of a question's own. Raises UsageError for one there is not, or of a wrong type or size."""
    if not numbers:
        return tuning
    known = options(Tuning)
    values = {}
    for key, value in numbers.items():
        if key not in known:
            raise UsageError(f"tuning: there is no number {key[:80]!r}{suggestion(key, known)} (known: {', '.join(known)})")
        try:
            values[key] = known[key].check(value)
        except ValueError as error:
            raise UsageError(f"tuning: {key} {error}") from error
    return replace(tuning, **values)


def profile_problems(search: SearchSettings) -> list[tuple[str, str]]:
    """Dotted keys of what cannot be used in the profiles of the settings, each with the reason."""
    problems = []
    if search.profile not in profile_names(search):
        problems.append(("search.profile", f"{_no_profile(search, search.profile)}{FALLS_BACK}"))
    for name in search.profiles:
        try:
            _tuning(search, name, ())
        except SettingsError as error:
            problems.append((f"{PROFILES}.{name}.base", str(error)))
    return problems


def _tuning(search: SearchSettings, name: str, above: tuple[str, ...]) -> Tuning:
    """The numbers of a profile on top of its base's; `above` are the profiles that are based on it."""
    own = search.profiles.get(name, {})
    base = _base(search, name)
    if base is None:
        start = Tuning(max_per_file=search.max_per_file, score_threshold=search.score_threshold)
        return replace(start, **{**BUILT_IN[name], **_numbers(own)})
    if base in (*above, name):
        raise SettingsError(f"profile {name}: it is based on itself ({' > '.join((*above, name, base))}): name another base")
    if base not in BUILT_IN and base not in search.profiles:
        raise SettingsError(f"profile {name}: {_no_profile(search, base)}")
    return replace(_tuning(search, base, (*above, name)), **_numbers(own))


def _base(search: SearchSettings, name: str) -> str | None:
    """The profile that one is based on; None for a built-in one, changed or not, that names no other."""
    given = search.profiles.get(name, {}).get("base")
    if given is None or given == name:
        return None if name in BUILT_IN else DEFAULT if given is None else name
    return str(given)


def _numbers(own: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in own.items() if key != "base"}


def _no_profile(search: SearchSettings, name: str) -> str:
    known = profile_names(search)
    return f"there is no profile {name[:80]!r}{suggestion(name, known)} (known: {', '.join(known)})"
