"""From the parameters of khoj/search and the settings to what the vault is asked; and what there is to choose from."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from khoj_ls.config.profiles import chosen_profile, find_profile, profile_names, retuned
from khoj_ls.config.settings import SearchSettings, Tuning
from khoj_ls.core.errors import SettingsError, UsageError
from khoj_ls.search.types import SearchRequest
from khoj_ls.wire import messages as wire
from khoj_ls.wire.tuning_messages import ChoicesResult, ProfileChoice

MAX_LIMIT = 100


def search_request(settings: SearchSettings, params: wire.SearchParams, paths: tuple[str, ...] | None) -> SearchRequest:
    """What one vault is asked, within `paths`. Raises UsageError for a profile or a number there is not, SettingsError."""
    profile = chosen_profile(settings, params.profile)
    tuning = retuned(profile.tuning, params.tuning or {})
    return SearchRequest(
        query=params.query,
        limit=checked_limit(params.limit, tuning.cross_encoder_top_n or settings.limit),
        mode=params.mode or settings.mode,  # type: ignore[arg-type]  # SearchRequest checks it
        tuning=tuning,
        profile=profile.name,
        rerank=params.rerank,
        explain=params.explain,
        paths=paths,
        prefix=params.prefix,
        symmetric=params.symmetric,
    )


def checked_limit(asked: int | None, default: int) -> int:
    """The limit that was asked for, or the default. Raises UsageError."""
    limit = default if asked is None else asked
    if not 1 <= limit <= MAX_LIMIT:
        raise UsageError(f"limit is {limit}; it must be between 1 and {MAX_LIMIT}")
    return limit


def choices_of(settings: SearchSettings) -> ChoicesResult:
    """What the settings let a question choose from."""
    profiles = []
    for name in profile_names(settings):
        try:
            profile = find_profile(settings, name)
        except SettingsError:
            continue  # what is wrong with it is told where settings are read, and when it is asked for
        profiles.append(
            ProfileChoice(
                profile.name, profile.about, profile.source, profile.base, numbers_of(profile.tuning), list(profile.changes)
            )
        )
    return ChoicesResult(profiles, chosen_profile(settings, None).name)


def numbers_of(tuning: Tuning) -> dict[str, Any]:
    """All numbers of a tuning, by name, as JSON can hold them."""
    numbers = {field.name: getattr(tuning, field.name) for field in fields(tuning)}
    return {**numbers, "type_weights": dict(tuning.type_weights)}
