"""What khoj/search asks of the vaults, and how their answers are told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from khoj_ls.config.load import session_values
from khoj_ls.config.paths import Folders
from khoj_ls.config.profiles import find_profile
from khoj_ls.config.settings import SearchSettings, Settings, Tuning
from khoj_ls.core.errors import SettingsError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.core.places import Column, Place
from khoj_ls.core.types import Span
from khoj_ls.search.types import Explanation, SearchHit, SearchResult, Source, Step
from khoj_ls.wire import messages as wire
from khoj_ls.wire.convert import hits_to_wire
from khoj_ls.wire.operations import Job, Session, choices, search
from khoj_ls.wire.searching import numbers_of
from khoj_ls.wire.tuning_messages import ChoicesParams

JOB = Job(CancelToken(), lambda progress: None)


@dataclass(eq=False)
class Notes:
    """A vault that answers with some hits, and remembers what it was asked."""

    root: Path
    settings: Settings
    hits: tuple[SearchHit, ...] = ()
    asked: list = field(default_factory=list)

    def search(self, request, token):
        self.asked.append(request)
        return SearchResult(self.hits[: request.limit])

    personas: dict = field(default_factory=dict)
    commands: dict = field(default_factory=dict)

    def holds(self, path):
        return path == self.root or self.root in path.parents

    def relative(self, path):
        return path.relative_to(self.root).as_posix()


@dataclass
class Vaults:
    """The vaults that are open."""

    settings: Settings
    known: dict[Path, Notes]
    folders: Folders = Folders(*[Path("/none")] * 4)  # noqa: RUF009 - frozen
    telling: None = None

    @property
    def chat_models(self):
        return self

    def listed(self):
        return []

    def expect(self, name):
        pass

    def chat_settings(self, root):
        return self.settings.chat

    def open(self, path, *, exact=False):
        return next(vault for vault in self.known.values() if path == vault.root or (not exact and vault.holds(path)))


def session(hits=(), *, settings: Settings = Settings(), other: tuple[SearchHit, ...] = ()) -> tuple[Session, Notes, Notes]:  # noqa: B008 - frozen
    here, there = Notes(Path("/notes"), settings, tuple(hits)), Notes(Path("/other"), settings, other)
    vaults = Vaults(settings, {vault.root: vault for vault in (here, there)})
    return Session(vaults, roots=[here.root]), here, there


def hit(path: str, score: float, **changes) -> SearchHit:
    return SearchHit(path, Span(0, 9, 3, 4), path.upper(), "", (), "text", (), score, "org", (), None, 1, **changes)


def asked(settings: Settings = Settings(), **params):  # noqa: B008 - frozen
    here = session(settings=settings)
    search(here[0], wire.SearchParams("plum", **params), JOB)
    (request,) = here[1].asked
    return request


def own(**profiles: dict[str, object]) -> Settings:
    return Settings(search=SearchSettings(profiles=profiles))


@pytest.mark.parametrize("name", ["default", "precise", "broad", "recent_focused"])
def test_a_profile_is_asked_by_name(name):
    request = asked(profile=name)
    assert (request.profile, request.tuning) == (name, find_profile(SearchSettings(), name).tuning)
    assert request.wants_rerank is (name == "precise")


def test_what_nobody_says_the_settings_say():
    request = asked(
        replace(own(mine={"max_per_file": 7}), search=replace(own(mine={"max_per_file": 7}).search, profile="mine"))
    )
    assert (request.profile, request.tuning.max_per_file) == ("mine", 7)
    assert (request.limit, request.mode, request.paths, request.prefix, request.explain) == (10, "hybrid", None, False, False)
    assert asked(prefix=True, explain=True, rerank=True).rerank is True


@pytest.mark.parametrize(
    ("params", "limit"),
    [
        ({}, 10),
        ({"profile": "precise"}, 3),
        ({"profile": "precise", "limit": 50}, 50),
        ({"tuning": {"cross_encoder_top_n": 5}}, 5),
    ],
)
def test_the_limit_that_is_asked_for_wins_over_the_profiles(params, limit):
    assert asked(**params).limit == limit


def test_single_numbers_take_the_place_of_the_profiles():
    tuning = asked(profile="recent_focused", tuning={"recency_bias": 0.9, "type_weights": {"org": 0.5}}).tuning
    assert (tuning.recency_bias, tuning.recency_decay_days, tuning.type_weights) == (0.9, 30.0, {"org": 0.5})


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        (
            {"profile": "sharp"},
            UsageError,
            "there is no profile 'sharp' (known: default, precise, broad, recent_focused, lost)",
        ),
        ({"profile": "lost"}, SettingsError, "profile lost: there is no profile 'nope'"),
        ({"tuning": {"bias": 1}}, UsageError, "tuning: there is no number 'bias'"),
        ({"tuning": {"recency_bias": 7}}, UsageError, "tuning: recency_bias wants a number from 0 to 1, not 7"),
        ({"limit": 0}, UsageError, "limit is 0; it must be between 1 and 100"),
        ({"within": []}, UsageError, "`within` names no note or folder of a vault"),
        ({"within": ["/else/a.md"], "vault": "/notes"}, UsageError, "`within` names no note or folder of the vault /notes"),
        ({"within": ["a.md"]}, UsageError, "a.md is not an absolute path"),
    ],
)
def test_what_cannot_be_asked(params, error, message):
    with pytest.raises(error) as raised:
        asked(own(lost={"base": "nope"}), **params)
    assert str(raised.value).startswith(message)


def test_an_editors_own_profiles_hold_in_its_session():
    here, notes, _ = session()
    here.overrides, problems = session_values({"search": {"profile": "x", "profiles": {"x": {"max_per_file": 9}}}})
    search(here, wire.SearchParams("plum"), JOB)
    assert (problems, notes.asked[0].profile, notes.asked[0].tuning.max_per_file) == ([], "x", 9)


@pytest.mark.parametrize(
    ("sent", "profile", "limit", "most_per_file"),
    [
        ({}, "theirs", 7, 4),
        ({"search": {"limit": 5}}, "theirs", 5, 4),  # the vault's own profile is still there, and still the one
        ({"search": {"profile": "theirs"}}, "theirs", 7, 4),
        ({"search": {"profile": "default"}}, "default", 7, 3),
        ({"search": {"profiles": {"theirs": {"max_per_file": 9}}}}, "theirs", 7, 9),
        ({"search": {"profiles": {"mine": {"max_per_file": 9}}, "profile": "mine"}}, "mine", 7, 9),
    ],
)
def test_what_an_editor_sets_stands_on_what_the_vault_says(sent, profile, limit, most_per_file):
    here, notes, other = session()
    notes.settings = Settings(
        search=SearchSettings(profile="theirs", limit=7, profiles={"theirs": {"max_per_file": 4, "rerank": True}})
    )
    here.roots = [notes.root, other.root]
    here.overrides, problems = session_values(sent)
    search(here, wire.SearchParams("plum"), JOB)
    (asked,) = notes.asked
    assert (asked.profile, asked.limit, asked.tuning.max_per_file) == (profile, limit, most_per_file)
    assert problems == []
    assert "theirs" in {each.name for each in choices(here, ChoicesParams(str(notes.root)), JOB).profiles}
    # The other vault knows nothing of it, whatever was set.
    (elsewhere,) = other.asked
    assert elsewhere.limit == sent.get("search", {}).get("limit", 10)


@pytest.mark.parametrize(
    ("within", "vault", "expected"),
    [
        (["/notes/a.md"], None, [("a.md",), None]),
        (["file:///notes/a%20b.md", "/notes/sub"], None, [("a b.md", "sub"), None]),
        (["/notes/a.md", "/other/b.md", "/notes/c.md"], None, [("a.md", "c.md"), ("b.md",)]),
        (["/other"], None, [None, (".",)]),
        (["/notes/a.md", "/other/b.md"], "/other", [None, ("b.md",)]),
    ],
)
def test_a_search_within_what_was_found(within, vault, expected):
    here, *vaults = session()
    search(here, wire.SearchParams("plum", within=within, vault=vault), JOB)
    assert [each.asked[0].paths if each.asked else None for each in vaults] == expected


def test_hits_are_put_together_by_note():
    here, *_ = session([hit("a", 0.9), hit("b", 0.8), hit("a", 0.7), hit("c", 0.6)])
    result = search(here, wire.SearchParams("plum", group=True, limit=3), JOB)
    assert [(note.uri, note.title, note.score, [each.score for each in note.hits]) for note in result.notes] == [
        ("file:///notes/a", "A", 0.9, [0.9, 0.7]),
        ("file:///notes/b", "B", 0.8, [0.8]),
    ]
    assert [each.score for each in result.hits] == [0.9, 0.8, 0.7]
    assert search(here, wire.SearchParams("plum"), JOB).notes is None


def test_notes_of_several_vaults_are_put_together_by_score():
    here, *_ = session([hit("a", 0.9), hit("b", 0.5)], other=(hit("a", 0.7), hit("c", 0.6)))
    here.roots = [Path("/notes"), Path("/other")]
    result = search(here, wire.SearchParams("plum", group=True), JOB)
    assert [(note.uri, note.vault) for note in result.notes] == [
        ("file:///notes/a", "/notes"),
        ("file:///other/a", "/other"),
        ("file:///other/c", "/other"),
        ("file:///notes/b", "/notes"),
    ]


def test_an_explanation_is_told_with_all_its_numbers():
    tuning = Tuning(type_weights={"org": 0.5})
    how = Explanation(
        retrievers={"lexical": Source(1, 0.81236), "names": Source(2, 0.3)},
        fused=0.71234,
        rank=4,
        steps=(Step("type", 0.71234, 0.35617, "org", {"weight": 0.5}),),
        score=0.35617,
        profile="mine",
        tuning=tuning,
        embedded_as="passage",
    )
    here, *_ = session([hit("a", 0.35617, explanation=how), hit("b", 0.1)])
    first, second = msgspec.to_builtins(search(here, wire.SearchParams("plum"), JOB))["hits"]
    assert second["explanation"] is None
    assert first["explanation"] == {
        "retrievers": {"lexical": {"rank": 1, "score": 0.8124}, "names": {"rank": 2, "score": 0.3}},
        "fused": 0.7123,
        "rank": 4,
        "steps": [{"name": "type", "before": 0.7123, "after": 0.3562, "why": "org", "numbers": {"weight": 0.5}}],
        "score": 0.3562,
        "profile": "mine",
        "numbers": numbers_of(tuning),
        "embedded_as": "passage",
    }
    assert first["explanation"]["numbers"]["type_weights"] == {"org": 0.5}
    assert first["explanation"]["numbers"]["recency_decay_days"] == 90.0


@pytest.mark.parametrize("roots", [[], [Path("/notes")]], ids=["no vault", "a vault"])
def test_there_are_profiles_to_choose_from(roots):
    settings = own(mine={"base": "broad", "rerank": True}, lost={"base": "nope"})
    here, *_ = session(settings=settings)
    here.roots = roots
    result = choices(here, ChoicesParams(), JOB)
    assert result.profile == "default"
    assert [(each.name, each.source, each.base) for each in result.profiles] == [
        ("default", "built-in", None),
        ("precise", "built-in", None),
        ("broad", "built-in", None),
        ("recent_focused", "built-in", None),
        ("mine", "settings", "broad"),
    ]
    mine = result.profiles[-1]
    assert (mine.sets, mine.numbers["rerank"], mine.numbers["bi_encoder_top_k"]) == (["rerank"], True, 150)
    assert msgspec.json.encode(result)


@pytest.mark.parametrize(
    ("place", "lines", "page", "said"),
    [
        (None, (2, 4), None, None),
        (Place("page", 3, 4), (0, 0), 3, "pages 3 to 4"),
        (Place("rows", 5, 9, "Costs"), (0, 0), None, "Costs, rows 5 to 9"),
        (Place("cell", 2, 2, lined=True), (2, 4), None, "cell 2"),
    ],
)
def test_a_hit_tells_its_place_and_lines_only_where_there_are_some(place, lines, page, said):
    [told] = hits_to_wire(Path("/notes"), [hit("a.pdf", 0.5, place=place)], "utf-16")
    assert ((told.range.start.line, told.range.end.line), told.page, told.place) == (lines, page, said)


@pytest.mark.parametrize(("units", "columns"), [("utf-8", (9, 20)), ("utf-16", (7, 15)), ("utf-32", (6, 14))])
def test_a_hit_in_a_long_line_tells_its_columns_in_the_units_of_the_session(units, columns):
    place = Place("piece", 7, 14, lined=True, columns=(Column(9, 7, 6), Column(20, 15, 14)))
    [told] = hits_to_wire(Path("/notes"), [hit("a.html", 0.5, place=place)], units)
    assert (told.range.start, told.range.end) == (wire.Position(2, columns[0]), wire.Position(3, columns[1]))
    assert told.place == "column 7"
