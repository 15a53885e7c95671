"""A search from the query to its hits."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khoj_ls.core.errors import Cancelled, ModelError, UsageError
from khoj_ls.core.jobs import CancelToken
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest

HOME = """\
# Home

How the house works.

## Network

The wifi box stands in the hall.
Its admin page is at 192.168.0.1.

- channel 36 is free
- the old repeater is in a drawer

## Shopping list

## Recipes

Sour dough needs a [good starter](https://example.org/starter) and time.

```sh
make bread
```
"""

GARDEN = """\
Plum trees want cutting in July.

The kitten sleeps under them, all day long.
"""


@pytest.fixture
def house(vault):
    vault.put("home.md", HOME, title="Home", tags=("house",), date="2024-05-01")
    vault.put("garden/plum.md", GARDEN)
    vault.put("cars.md", "# Cars\n\nA vehicle wants oil.\n")
    return vault


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("channel 36", "home.md:10-10"),
        ("shopping list", "home.md:13-13"),  # a heading without a body
        ("Shopping", "home.md:13-13"),
        ("recipes", "home.md:15-17"),  # a heading, shown with what follows it
        ("where is the admin page", "home.md:7-8"),
        ("sour dough needs a good starter and time", "home.md:17-17"),  # past the link's markup
        ("make bread", "home.md:19-21"),
        ("example.org", "home.md:17-17"),  # only the markup holds it
        ("plum", "garden/plum.md:1-1"),  # also in the file's name
        ("admin page channel", "home.md:7-10"),  # neighbours that hold the rest of the words
        ("automobile", "cars.md:1-3"),  # by meaning alone: the chunk's lines
    ],
)
def test_the_first_hit_is_the_tightest_passage(house, query, first):
    assert house.found(query)[0] == first


@pytest.mark.parametrize("mode", ["hybrid", "lexical"])
def test_a_sentence_comes_first_with_its_lines(vault, mode):
    for number in range(30):
        noise = "The repeater hums. " * number
        vault.put(
            f"{number}.md", f"# Note {number}\n\n{noise}\n\nOn day {number} the repeater\nhummed in tune {number}.\n\nEnd.\n"
        )
    for number in (0, 7, 29):
        assert vault.found(f"On day {number} the repeater hummed in tune {number}.", mode=mode)[0] == f"{number}.md:5-6"


def test_a_sentence_of_common_words_is_found_among_many_notes_that_hold_them(vault):
    for number in range(130):
        vault.put(f"{number}.md", "# Examples\n\nexamples\n")
    vault.put("long.md", f"# Long\n\n{'It goes on and on. ' * 50}\n\nHere are more examples:\n")
    assert vault.found("Here are more examples:", score_threshold=0.9)[0] == "long.md:5-5"


def test_a_heading_asked_for_word_for_word_is_in_the_range(vault):
    vault.put(
        "site.md",
        "# Site\n\nIntro.\n\n## Configure the theme for your site\n\nTo configure the theme for your site, edit it.\n",
    )
    vault.put("links.md", "# Links\n\n## The [idris](lang/idris) module of the set\n\nIt has no other words.\n")
    assert vault.found("Configure the theme for your site")[0] == "site.md:5-7"
    assert vault.found("## The [idris](lang/idris) module of the set")[0].startswith("links.md:3-")


def test_the_same_words_with_other_signs_are_not_the_place_that_was_asked_for(vault):
    vault.put("ways.md", '# Ways\n\nIn short: the element :src "Link To".\n\nIn full:\n\n[:element {:src "Link To"}]\n')
    for number in range(5):
        vault.put(f"{number}.md", f"# Note {number}\n\nthe element, src, link to\n")
    assert vault.found('[:element {:src "Link To"}]')[0] == "ways.md:7-7"
    vault.put("b.md", "# B\n\n;;; in $dir/config.el\n")
    vault.put("a.md", "# A\n\n;; in $dir/config.el in $dir/config.el\n")
    assert vault.found(";;; in $dir/config.el")[0] == "b.md:3-3"
    assert vault.found(";;; IN $dir/config.el")[0] == "b.md:3-3"


def test_a_hit_says_where_it_is_and_who_found_it(house):
    hit = house.search("admin page wifi").hits[0]
    assert (hit.path, hit.title, hit.heading, hit.outline) == ("home.md", "Home", "Network", ("Home", "Network"))
    assert (hit.type, hit.tags, hit.date, hit.place, hit.linked) == ("markdown", ("house",), "2024-05-01", None, False)
    assert (
        HOME.encode()[hit.span.start : hit.span.end].decode().splitlines()
        == HOME.splitlines()[hit.span.line - 1 : hit.span.end_line]
    )
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["wifi", "admin", "page"]
    assert {name: source.rank for name, source in hit.sources.items()} == {"lexical": 1, "dense": 1}


@pytest.mark.parametrize(
    ("mode", "query", "paths"),
    [
        ("lexical", "automobile", []),
        ("dense", "automobile", ["cars.md"]),
        ("hybrid", "automobile", ["cars.md"]),
        ("lexical", "plum", ["garden/plum.md"]),
    ],
)
def test_modes(house, mode, query, paths):
    hits = house.search(query, mode=mode).hits
    assert [hit.path for hit in hits][: len(paths)] == paths
    assert bool(hits) == bool(paths)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"wifi box"', ["home.md:7-8"]),
        ('"box wifi"', []),
        ('"hall. its"', ["home.md:7-8"]),  # across a line break
        ('"vehicles"', []),  # the word index finds the stem, the text does not hold the word
        ('wants -"plum trees"', ["cars.md:3-3"]),
        ('-"plum"', []),
        ('"192.168.0.1"', ["home.md:7-8"]),
        ('"good starter" dough', ["home.md:17-17"]),
        ('"```sh"', ["home.md:19-21"]),
    ],
)
def test_phrases_are_exact(house, query, expected):
    found = house.found(query, mode="lexical")
    assert found == expected
    assert set(found) <= set(house.found(query))


def test_a_phrase_is_found_among_many_that_only_share_its_stems(vault):
    vault.put("many.md", "".join(f"# {n}\n\nrunning the houses {n}\n\n" for n in range(300)))
    vault.put("one.md", "# One\n\nrun the house, once in a while and far from where any of the others are\n")
    assert vault.found('"run the house"') == ["one.md:3-3"]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("garden",), {"garden/plum.md"}),
        (("garden/",), {"garden/plum.md"}),
        (("garden/plum.md", "cars.md"), {"garden/plum.md", "cars.md"}),
        (("gard",), set()),
        ((".",), {"garden/plum.md", "cars.md"}),
        ((), set()),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "lexical", "dense"])
def test_a_search_stays_in_its_paths(house, paths, expected, mode):
    found = {hit.path for hit in house.search("wants want", paths=paths, mode=mode).hits}
    assert found == expected if mode == "lexical" else found >= expected
    assert all(any(path in (".", hit) or hit.startswith(path.rstrip("/") + "/") for path in paths) for hit in found)


@pytest.mark.parametrize("limit", [1, 10, 30, 100])
def test_the_limit_is_honoured(vault, limit):
    vault.put("long.md", "".join(f"# Part {n}\n\nbread and butter\n\n" for n in range(120)))
    vault.put("other.md", "# Other\n\nbread\n")
    for mode in ("hybrid", "lexical", "dense"):
        assert len(vault.search("bread", limit=limit, mode=mode).hits) == limit


def test_one_note_does_not_fill_the_list(vault):
    vault.put("long.md", "".join(f"# Part {n}\n\nbread bread bread\n\n" for n in range(9)))
    for number in range(9):
        vault.put(f"{number}.md", f"# {number}\n\nbread, and much else that makes this one longer and so less fitting\n")
    hits = vault.search("bread", limit=8).hits
    assert [hit.path for hit in hits].count("long.md") == 3
    assert [hit.path for hit in vault.search("bread", limit=8, max_per_file=0).hits] == ["long.md"] * 8


@pytest.mark.parametrize("query", ["0", "101", "-5"])
def test_a_wrong_limit_is_refused(query):
    with pytest.raises(UsageError, match="limit"):
        SearchRequest("x", limit=int(query))


def test_a_wrong_mode_is_refused():
    with pytest.raises(UsageError, match="semantic"):
        SearchRequest("x", mode="semantic")


def test_the_same_text_in_two_notes_is_two_hits(vault):
    for path in ("a.md", "b.md"):
        vault.put(path, "# Copy\n\nThe very same sentence stands here.\n", embedded=path == "a.md")
    for mode in ("hybrid", "lexical", "dense"):
        assert (
            sorted(vault.found("The very same sentence stands here", mode=mode)) == ["a.md:3-3", "b.md:3-3"] or mode == "dense"
        )
        assert {hit.path for hit in vault.search("The very same sentence stands here", mode=mode).hits} == {"a.md", "b.md"}


def test_a_passage_over_several_entries_is_one_hit(vault):
    text = "# Pets\n\n## Cat\n\na feline\n\n## Bird\n\na finch\n"
    vault.put("pets.md", text, whole=True)
    by_meaning = vault.search("kitten")
    assert [(hit.span.line, hit.span.end_line) for hit in by_meaning.hits] == [(1, 9)]
    assert by_meaning.hits[0].snippet == "Pets: Cat: a feline Bird: a finch"
    # Found by words as well, it is the entry that holds them.
    assert vault.found("finch") == ["pets.md:9-9"]


def test_only_hits_by_meaning_fall_below_the_threshold(house):
    assert house.found("automobile")
    assert not house.found("automobile", score_threshold=0.99)
    assert house.found("plum", score_threshold=0.99)


def test_the_threshold_is_a_cosine_in_every_mode(house):
    cosine = max(hit.sources["dense"].score for hit in house.search("automobile").hits)
    for mode in ("hybrid", "dense"):
        assert house.found("automobile", mode=mode, score_threshold=cosine - 0.01)
        assert not house.found("automobile", mode=mode, score_threshold=cosine + 0.01)


def test_a_word_in_the_name_of_a_note_says_what_it_is_about(vault):
    for word in ("anvil", "harbour", "violin", "quarry", "lantern", "valley"):
        vault.put(f"{word}.md", f"# {word}\n\nnothing but {word}\n")
    vault.put("garden.md", "# Garden\n\nshears, shears, shears\n")
    vault.put("tools.shears.md", "# Blades\n\nshears, oiled shears, kept in a box\n")
    assert vault.found("shears", mode="lexical")[0].startswith("tools.shears.md")


def test_the_beginning_of_a_note_says_what_it_is_about(vault):
    rest = "".join(f"## Part {number}\n\nvalley bridge tower number {number}\n\n" for number in range(60))
    # Neither the first section nor the last: those are read of every note.
    vault.put("ends.md", rest + "## Orchard\n\nplum orchard soil\n\n## End\n\nriver\n")
    vault.put("begins.md", "## End\n\nriver\n\n## Orchard\n\nplum orchard soil\n\n" + rest)
    assert vault.found("orchard soil plum", mode="dense", max_per_file=1)[0].startswith("begins.md")


def test_made_up_words_find_nothing_and_words_that_are_there_always_do(house):
    assert not house.found("qwrtzp flurbl", score_threshold=0.3)
    assert house.found("qwrtzp plum", score_threshold=0.3)


def test_words_find_a_note_in_any_script(vault):
    vault.put("zh.md", "# 笔记\n\n昨天修复了路由器。\n")
    vault.put("ja.md", "# メモ\n\nルーターを修理した。\n")
    vault.put("ko.md", "# 메모\n\n라우터를 고쳤다.\n")
    vault.put("el.md", "# Σημείωση\n\nΟ δρομολογητής επισκευάστηκε.\n")
    assert vault.found("路由器", mode="lexical") == ["zh.md:3-3"]
    assert vault.found("修复路由", mode="lexical")[0] == "zh.md:3-3"
    assert vault.found("修理", mode="lexical")[0] == "ja.md:3-3"
    assert vault.found("라우터", mode="lexical") == ["ko.md:3-3"]
    assert vault.found("ΔΡΟΜΟΛΟΓΗΤΉΣ", mode="lexical") == ["el.md:3-3"]
    [hit] = vault.search("路由器", mode="lexical").hits
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["路由器"]


def test_the_last_word_may_be_unfinished(house):
    assert not house.found("rep", mode="lexical")
    [hit] = house.search("rep", mode="lexical", prefix=True).hits
    [hit] = house.search("repea", mode="lexical", prefix=True).hits
    assert [hit.snippet[start:end] for start, end in hit.highlights] == ["repeater"]


def test_nonsense_scores_low_and_a_sentence_high(house):
    assert house.search("zxqv blorp wants").hits[0].score < 0.35
    assert house.search("zxqv blorp", mode="lexical").hits == ()
    assert house.search("Plum trees want cutting in July").hits[0].score > 0.9


# -- what is missing ---------------------------------------------------------------------------------------------------


def failing(error):
    def embed_query(text):
        raise error

    return embed_query


def never(text):
    threading.Event().wait(60)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": None, "index": None, "embed_query": None, "reason": "no model yet"}, "no model yet"),
        ({"embed_query": failing(ModelError("Ollama is not running"))}, "Ollama is not running"),
        ({"embed_query": failing(ValueError("bug"))}, "bug"),
        ({"embed_query": lambda text: b"\0" * 8}, "changed"),
        ({"embed_query": never, "patience_seconds": 0.0}, "did not answer"),
    ],
)
def test_without_a_query_vector_words_answer(house, change, reason):
    context = replace(house.context, **change)
    result = search(context, SearchRequest("plum"))
    assert [hit.path for hit in result.hits] == ["garden/plum.md"]
    assert result.degraded
    assert reason in result.reason
    lexical = search(context, SearchRequest("plum", mode="lexical"))
    assert [hit.path for hit in lexical.hits] == ["garden/plum.md"]
    assert (lexical.degraded, lexical.reason) == (False, None)
    assert search(context, SearchRequest("plum", mode="dense")).hits == ()


def gone(seconds):
    raise ModelError("the encoder is gone")


@pytest.mark.parametrize(
    ("begun", "asked"),
    [
        (lambda embed, text: lambda seconds: embed(text), []),
        (lambda embed, text: None, ["plum"]),
        (lambda embed, text: gone, ["plum"]),
        (lambda embed, text: gone(0), ["plum"]),
    ],
    ids=["ready", "no worker yet", "the worker ends", "no model to be named"],
)
def test_a_query_vector_is_begun_or_waited_for(house, begun, asked):
    patiently = []
    context = replace(
        house.context,
        begin_query=lambda text, passage, then: begun(house.embed_query, text),
        embed_query=lambda text: patiently.append(text) or house.embed_query(text),
    )
    result = search(context, SearchRequest("plum"))
    assert (result.hits, result.degraded, patiently) == (house.search("plum").hits, False, asked)


def test_a_query_vector_that_was_begun_is_not_waited_for_without_end(house):
    begun = replace(house.context, begin_query=lambda text, passage, then: lambda seconds: None)
    assert "did not answer" in search(replace(begun, patience_seconds=0.0), SearchRequest("plum")).reason
    token = CancelToken()
    begun = replace(begun, begin_query=lambda text, passage, then: lambda seconds: token.cancel())
    with pytest.raises(Cancelled):
        search(begun, SearchRequest("plum"), token)


def test_a_half_embedded_vault_says_so(house):
    assert (house.search("plum").degraded, house.search("plum").coverage) == (False, 1.0)
    house.put("new.md", "# New\n\nnot embedded\n", embedded=False)
    result = house.search("not embedded")
    assert result.degraded
    assert 0 < result.coverage < 1
    assert "85 %" in result.reason
    assert result.hits[0].path == "new.md"


def test_an_empty_vault_answers(vault):
    assert vault.search("anything").hits == ()
    assert (vault.search("anything").degraded, vault.search("anything").coverage) == (False, 1.0)


@pytest.mark.parametrize("query", ["", "  \n", '""', '-"x"', "\0"])
def test_nothing_asked_is_nothing_found(house, query):
    assert house.search(query).hits == ()


def test_a_cancelled_search_stops(house):
    token = CancelToken()
    token.cancel()
    for mode in ("hybrid", "lexical"):
        with pytest.raises(Cancelled):
            search(replace(house.context, embed_query=never), SearchRequest("plum", mode=mode), token)


# -- what holds for every query ----------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        "plum",
        "wifi",
        "the",
        '"',
        '-"',
        '+"',
        "*",
        "NEAR(",
        ")",
        "AND",
        "OR",
        "NOT",
        "title:",
        "^",
        "{",
        "}",
        ":",
        "-",
        "\0",
        "路由",
        "ü",
        "🏡",
        "\u202e",
        "192.168",
        "'",
    ]
)
QUERIES = st.one_of(
    st.text(max_size=60), st.lists(FRAGMENTS, max_size=12).map(" ".join), st.lists(FRAGMENTS, max_size=12).map("".join)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, mode=st.sampled_from(["hybrid", "lexical", "dense"]), prefix=st.booleans(), limit=st.integers(1, 5))
def test_every_query_has_an_answer(house, query, mode, prefix, limit):
    try:
        result = house.search(query, mode=mode, prefix=prefix, limit=limit)
    except UsageError as error:
        assert any(why in str(error) for why in ("there is no filter", "is no date")), "what is no query says why"
        return
    scores = [hit.score for hit in result.hits]
    assert len(scores) <= limit
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores) or not any(scores), "filters alone rank nothing"
    lines = [(hit.path, line) for hit in result.hits for line in range(hit.span.line, hit.span.end_line + 1)]
    assert len(lines) == len(set(lines)), "no line is shown twice"
    for hit in result.hits:
        assert all(0 <= start < end <= len(hit.snippet) for start, end in hit.highlights)
        assert "\n" not in hit.snippet
        assert hit.sources


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_line_of_every_note_is_found_by_its_words(house, data):
    path, text = data.draw(st.sampled_from([("home.md", HOME), ("garden/plum.md", GARDEN)]))
    number = data.draw(st.sampled_from([i for i, line in enumerate(text.splitlines(), 1) if any(map(str.isalnum, line))]))
    line = text.splitlines()[number - 1]
    assert any(hit.path == path and hit.span.line <= number <= hit.span.end_line for hit in house.search(line).hits), line


@pytest.mark.parametrize(
    ("query", "first", "respelled"),
    [
        ("chanel", "home.md:10-10", {"chanel": "channel"}),
        ("repaeter", "home.md:11-11", {"repaeter": "repeat"}),  # what is compared are the stems
        ("shoping", "home.md:13-13", {"shoping": "shop"}),
        ("kiten", "garden/plum.md:3-3", {"kiten": "kitten"}),
        ("kiten channel", "home.md:10-10", {}),  # one of the words stands somewhere
        ("kitten", "garden/plum.md:3-3", {}),
        ("vhannel", "home.md:10-10", {"vhannel": "channel"}),  # also where the first letter is wrong
        ("jitten", "garden/plum.md:3-3", {"jitten": "kitten"}),
        ("oli", None, {}),  # of three letters every word is near
        ("xylophone", None, {}),
    ],
)
def test_where_no_word_stands_anywhere_one_spelled_nearly_so_is_found(house, query, first, respelled):
    result = house.search(query, mode="lexical")
    assert [f"{hit.path}:{hit.span.line}-{hit.span.end_line}" for hit in result.hits[:1]] == ([first] if first else [])
    assert dict(result.respelled) == respelled


def test_what_is_still_being_typed_is_no_mistake(house):
    assert dict(house.search("chanel", mode="lexical", prefix=True).respelled) == {}
