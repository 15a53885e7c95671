"""Search profiles: built in, of the user's own, and what a question changes for itself."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from khoj_ls.config.describe import json_schema
from khoj_ls.config.load import (
    assignments,
    load_user_settings,
    load_vault_settings,
    session_table_problems,
    session_values,
    settings_problems,
)
from khoj_ls.config.options import find, options, value_of, with_values
from khoj_ls.config.paths import Folders
from khoj_ls.config.profiles import BUILT_IN, chosen_profile, find_profile, profile_names, profile_problems, retuned
from khoj_ls.config.settings import SearchSettings, Settings, Tuning
from khoj_ls.core.errors import SettingsError, UsageError

BUILT = "default, precise, broad, recent_focused"
TABLE = "wants a table of numbers from 0 to 1, such as { pdf = 0.9 }"
NUMBERS = (
    "bi_encoder_top_k, cross_encoder_top_n, rerank, score_threshold, max_per_file, diversity_weight, recency_bias, "
    "recency_decay_days, type_weights, lexical_share, names_weight, note_share"
)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "config").mkdir()
    return Folders(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "run")


def search(**profiles: dict[str, object]) -> SearchSettings:
    return SearchSettings(profiles=profiles)


def changed(tuning: Tuning) -> dict[str, object]:
    """What differs from the default profile."""
    return {
        field.name: value for field in fields(tuning) if (value := getattr(tuning, field.name)) != getattr(Tuning(), field.name)
    }


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("default", {}),
        ("precise", {"bi_encoder_top_k": 90, "cross_encoder_top_n": 3, "rerank": True, "score_threshold": 0.4}),
        ("broad", {"bi_encoder_top_k": 150, "cross_encoder_top_n": 20, "score_threshold": 0.1, "max_per_file": 5}),
        ("recent_focused", {"recency_bias": 0.3, "recency_decay_days": 30.0}),
    ],
)
def test_the_built_in_profiles(name, numbers):
    profile = find_profile(SearchSettings(), name)
    assert (changed(profile.tuning), profile.source, profile.base) == (numbers, "built-in", None)
    assert profile.about.endswith(".")


@pytest.mark.parametrize(
    ("profiles", "name", "numbers", "base"),
    [
        ({"mine": {"max_per_file": 1}}, "mine", {"max_per_file": 1}, "default"),
        (
            {"mine": {"base": "recent_focused", "recency_bias": 0.5}},
            "mine",
            {"recency_bias": 0.5, "recency_decay_days": 30},
            "recent_focused",
        ),
        (
            {"a": {"base": "b", "rerank": True}, "b": {"max_per_file": 9, "rerank": False}},
            "a",
            {"max_per_file": 9, "rerank": True},
            "b",
        ),
        # a built-in profile that is changed stays what it is otherwise
        ({"recent_focused": {"recency_bias": 0.1}}, "recent_focused", {"recency_bias": 0.1, "recency_decay_days": 30}, None),
        ({"recent_focused": {"recency_bias": 0.1, "base": "default"}}, "recent_focused", {"recency_bias": 0.1}, "default"),
        ({"default": {"diversity_weight": 0.2}, "mine": {}}, "mine", {"diversity_weight": 0.2}, "default"),
    ],
)
def test_profiles_of_the_users_own(profiles, name, numbers, base):
    profile = find_profile(search(**profiles), name)
    assert (changed(profile.tuning), profile.base, profile.source) == (numbers, base, "settings")
    assert profile_names(search(**profiles)) == (*BUILT_IN, *(name for name in profiles if name not in BUILT_IN))


def test_the_settings_of_search_are_where_every_profile_begins():
    settings = SearchSettings(max_per_file=7, score_threshold=0.15)
    assert changed(find_profile(settings, "default").tuning) == {"max_per_file": 7, "score_threshold": 0.15}
    assert find_profile(settings, "recent_focused").tuning.max_per_file == 7
    assert find_profile(settings, "broad").tuning.max_per_file == 5


@pytest.mark.parametrize(
    ("profiles", "name", "error", "message"),
    [
        ({}, "precice", UsageError, f"there is no profile 'precice'; did you mean precise? (known: {BUILT})"),
        ({"mine": {}}, "", UsageError, f"there is no profile '' (known: {BUILT}, mine)"),
        (
            {"mine": {"base": "brod"}},
            "mine",
            SettingsError,
            f"profile mine: there is no profile 'brod'; did you mean broad? (known: {BUILT}, mine)",
        ),
        (
            {"a": {"base": "b"}, "b": {"base": "a"}},
            "a",
            SettingsError,
            "profile b: it is based on itself (a > b > a): name another base",
        ),
        ({"a": {"base": "a"}}, "a", SettingsError, "profile a: it is based on itself (a > a): name another base"),
        (
            {"default": {"base": "precise"}, "precise": {"base": "default"}},
            "default",
            SettingsError,
            "profile precise: it is based on itself (default > precise > default): name another base",
        ),
    ],
)
def test_a_profile_that_there_is_not(profiles, name, error, message):
    with pytest.raises(error) as raised:
        find_profile(search(**profiles), name)
    assert str(raised.value) == message


def test_what_is_wrong_in_the_settings_stops_no_search():
    wrong = replace(search(mine={"base": "nope"}), profile="mine")
    assert chosen_profile(wrong, None).name == "default"
    assert chosen_profile(replace(wrong, profile="gone"), None).name == "default"
    broken = chosen_profile(search(default={"base": "nope"}), None)
    assert (broken.name, broken.tuning) == ("default", Tuning())
    assert chosen_profile(replace(wrong, profile="broad"), None).name == "broad"
    assert chosen_profile(replace(wrong, profile="broad"), "precise").name == "precise"
    assert [key for key, _ in profile_problems(replace(wrong, profile="gone"))] == [
        "search.profile",
        "search.profiles.mine.base",
    ]


FILE = """
[search]
profile = "journal"
[search.profiles.journal]
base = "recent_focused"
recency_decay_days = 14
type_weights = { org = 1, text = 0.5 }
"""


def test_a_profile_is_written_in_toml(folders, tmp_path):
    folders.user_settings.write_text(FILE)
    user, problems = load_user_settings(folders)
    assert problems == []
    tuning = chosen_profile(load_vault_settings(user, tmp_path).search, None).tuning
    assert changed(tuning) == {"recency_bias": 0.3, "recency_decay_days": 14.0, "type_weights": {"org": 1.0, "text": 0.5}}


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (
            "max_per_fil = 3",
            "mine.max_per_fil",
            f"a profile has no such number; did you mean max_per_file? (known: base, {NUMBERS})",
        ),
        ("recency_bias = 2", "mine.recency_bias", "wants a number from 0 to 1, not 2.0; it is left out"),
        ("rerank = 1", "mine.rerank", "wants true or false, not 1; it is left out"),
        ("base = 3", "mine.base", "wants a text, not 3; it is left out"),
        ("bi_encoder_top_k = 1.5", "mine.bi_encoder_top_k", "wants a whole number from 0 to 5000, not 1.5; it is left out"),
        ("type_weights = { org = 2 }", "mine.type_weights", f"{TABLE}, not {{ org = 2 }}; it is left out"),
        ("type_weights = { org = 'x' }", "mine.type_weights", f'{TABLE}, not {{ org = "x" }}; it is left out'),
        ("type_weights = 1", "mine.type_weights", f"{TABLE}, not 1; it is left out"),
        ("base = 'nope'", "mine.base", f"profile mine: there is no profile 'nope' (known: {BUILT}, mine)"),
        ("", "mine", "this profile sets nothing: name its base"),
    ],
)
def test_a_wrong_number_is_told_and_the_rest_holds(folders, tmp_path, text, key, message):
    folders.user_settings.write_text(f"[search]\nlimit = 7\n[search.profiles.mine]\n{text}\n")
    user, problems = load_user_settings(folders)
    assert [(problem.key, problem.message) for problem in problems] == [(f"search.profiles.{key}", message)]
    assert settings_problems(folders.user_settings) == problems
    assert user.search.limit == 7
    (tmp_path / ".khoj.toml").write_text(f"[search.profiles.mine]\n{text}\n")
    assert [problem.key for problem in settings_problems(tmp_path / "none", tmp_path)] == [f"search.profiles.{key}"]


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        (
            "[search.profiles.'a b']\nrerank = true",
            "search.profiles.a b.rerank",
            "the name of a profile is made of letters, digits, - and _, at most 40 of them",
        ),
        ("[search]\nprofiles = 3", "search.profiles", "write one table per profile: [search.profiles.NAME]"),
        ("[search.profiles]\nmine = 3", "search.profiles.mine", "write a table per profile: [search.profiles.NAME]"),
        (
            "[search]\nprofile = 'brod'",
            "search.profile",
            f"there is no profile 'brod'; did you mean broad? (known: {BUILT}); default is used",
        ),
    ],
)
def test_what_is_no_profile_at_all(folders, text, key, message):
    folders.user_settings.write_text(text)
    _, problems = load_user_settings(folders)
    assert [(problem.key, problem.message) for problem in problems] == [(key, message)]


def test_sources_are_put_together_number_by_number(folders, tmp_path):
    folders.user_settings.write_text(FILE)
    (tmp_path / ".khoj.toml").write_text("[search.profiles.journal]\nrecency_bias = 0.9\nmax_per_file = 2\n")
    user, _ = load_user_settings(folders, assignments(["search.profiles.journal.max_per_file=4"]))
    here = load_vault_settings(user, tmp_path)
    sent = {"search": {"profiles": {"journal": {"lexical_share": 1, "rerank": None}}}, "search.profiles.other.rerank": True}
    values, problems = session_values(sent)
    assert problems + session_table_problems(values, here) == []
    settings = with_values(here, values)
    assert changed(find_profile(settings.search, "journal").tuning) == {
        "recency_bias": 0.9,
        "recency_decay_days": 14.0,
        "type_weights": {"org": 1.0, "text": 0.5},
        "max_per_file": 4,
        "lexical_share": 1.0,
    }
    assert find_profile(settings.search, "other").tuning.rerank is True
    assert profile_names(here.search) == (*BUILT_IN, "journal")  # what the session says is its own


def test_what_the_command_line_sets_is_looked_at_with_what_the_file_says(folders):
    folders.user_settings.write_text(FILE)
    assert load_user_settings(folders, assignments(["search.profile=journal"]))[1] == []
    _, (problem,) = load_user_settings(folders, assignments(["search.profile=joural"]))
    assert (problem.source, problem.key) == ("--set", "search.profile")
    assert problem.message.startswith("there is no profile 'joural'; did you mean journal?")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("search.profile=default", None),
        ("search.profile=journal", None),
        ("search.profile=theirs", None),
        (
            "search.profile=typo",
            f"--set search.profile: there is no profile 'typo' (known: {BUILT}, journal, theirs)",
        ),
        (
            "search.profiles.journal.base=brod",
            f"--set search.profiles.journal.base: profile journal: there is no profile 'brod'; did you mean broad? "
            f"(known: {BUILT}, journal, theirs)",
        ),
    ],
)
def test_the_command_line_names_profiles_of_user_and_vault_only(folders, tmp_path, text, message):
    folders.user_settings.write_text(FILE)
    (tmp_path / ".khoj.toml").write_text("[search.profiles.theirs]\nbase = 'broad'\n")
    user, _ = load_user_settings(folders, assignments([text]))
    if message is None:
        key, _, value = text.partition("=")
        assert value_of(load_vault_settings(user, tmp_path), key) == value
    else:
        with pytest.raises(UsageError) as raised:
            load_vault_settings(user, tmp_path)
        assert str(raised.value) == message


def test_a_wrong_profile_in_a_file_stops_nothing(folders, tmp_path):
    folders.user_settings.write_text("[search]\nprofile = 'typo'\n")
    (tmp_path / ".khoj.toml").write_text("[search]\nprofile = 'other typo'\n")
    user, _ = load_user_settings(folders, assignments(["search.limit=3"]))
    assert load_vault_settings(user, tmp_path).search.limit == 3


def test_an_editor_is_told_what_it_sends_wrongly():
    values, problems = session_values({"search": {"profile": "mine", "profiles": {"mine": {"base": "x", "limit": 3}}}})
    problems += session_table_problems(values, Settings())
    assert [problem.key for problem in problems] == ["search.profiles.mine.limit", "search.profiles.mine.base"]


def test_an_editor_may_name_what_the_vault_has():
    values, problems = session_values({"search": {"profile": "theirs"}})
    assert problems == []
    assert [problem.key for problem in session_table_problems(values, Settings())] == ["search.profile"]
    own = Settings(search=SearchSettings(profiles={"theirs": {"rerank": True}}))
    assert session_table_problems(values, own) == []


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"recency": 1}, f"tuning: there is no number 'recency'; did you mean recency_bias? (known: {NUMBERS})"),
        ({"recency_bias": "much"}, 'tuning: recency_bias wants a number from 0 to 1, not "much"'),
        ({"max_per_file": -1}, "tuning: max_per_file wants a whole number from 0 to 100, not -1"),
    ],
)
def test_a_question_has_numbers_of_its_own(numbers, message):
    assert retuned(Tuning(), {}) is not None
    assert changed(retuned(Tuning(), {"recency_bias": 1, "type_weights": {"org": 0}})) == {
        "recency_bias": 1.0,
        "type_weights": {"org": 0.0},
    }
    with pytest.raises(UsageError) as raised:
        retuned(Tuning(), numbers)
    assert str(raised.value) == message


def test_every_number_passes_its_own_check_and_is_in_the_schema():
    known = options(Tuning)
    assert ", ".join(known) == NUMBERS
    assert {key: option.check(option.default) for key, option in known.items()} == {
        key: option.default for key, option in known.items()
    }
    assert [find(f"search.profiles.x.{key}").default for key in known] == [option.default for option in known.values()]
    table = json_schema()["properties"]["search"]["properties"]["profiles"]["additionalProperties"]
    assert list(table["properties"]) == ["base", *known]
    assert json.dumps(
        json_schema()["$defs"]["vault"]["properties"]["search"]["properties"]["profiles"]["additionalProperties"]
    ) == json.dumps(table)
    for name, numbers in BUILT_IN.items():
        assert {key: known[key].check(value) for key, value in numbers.items()} == dict(numbers), name
