"""A sentence in a sample file of each format is found at its page, cell, rows or lines: read, indexed and searched as a whole.

Samples lie in `samples`, a small file of each format. The fuzz tests change them at random, too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from khoj_ls.config.settings import IndexSettings, Settings
from khoj_ls.content.registry import default_registry
from khoj_ls.core.places import spoken
from khoj_ls.indexing.indexer import Indexer
from khoj_ls.search.context import SearchContext
from khoj_ls.search.pipeline import search
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.database import Database

SAMPLES = Path(__file__).parent / "samples"

PLANTED = [
    # file, a sentence that stands there and nowhere else, the headings above it, where a hit leads
    ("animals.csv", "meadow behind the old brickworks", (), "rows 1 to 4"),
    ("bees.pptx", "Thank the beekeeper", ("Bees in town",), "slide 1"),
    ("bees.pptx", "Twelve jars stand on the piano", ("Slide 2",), "slide 2"),
    ("birds.ods", "twelve times beside the compost heap", ("Birds",), "Birds, rows 1 to 3"),
    ("cargo.json", "Crates of marzipan for the lightship", ("title … crates",), "column 1110"),
    ("diary.doc", "The lodger hums hymns while shaving", (), "paragraphs 1 to 2"),
    ("garden.md", "Quinces ripen after the first frost", ("Garden", "Trees"), "line 9"),
    ("garden.org", "Medlars are eaten when they look rotten", ("Garden", "Trees"), "line 7"),
    ("garden.txt", "Walnuts stain the fingers of whoever peels them", (), "lines 3 to 5"),
    ("harbour.pdf", "A heron fishes below the third crane at low tide", ("The quay", "Birds"), "page 3"),
    ("harbour.pdf", "The ferryman keeps the timetable in his cap", (), "page 1"),
    ("hive.rst", "Drones are gone by the end of October", ("Hive", "Winter"), "lines 18 to 20"),
    ("kiln.ipynb", "The celadon crackles when it cools too fast", ("Kiln",), "cell 2"),
    ("ledger.xlsx", "Saddle soap for the tandem", ("Costs",), "Costs, rows 1 to 5"),
    ("letter.eml", "the starter sleeps in the blue jar behind the flour", (), "line 16"),
    ("letter.rtf", "An owl sleeps in the violin case until dusk", ("The house", "The attic"), "paragraphs 3 to 9"),
    ("log.txt", "The cook counted eleven albatrosses", (), "column 2494"),
    ("loom.adoc", "Twill needs four shafts and a patient weaver", ("Loom", "Heddles"), "line 23"),
    ("news.rss", "The fourth crane was sold to a museum of clocks", ("Crane & co",), "item 1"),
    ("pier.html", "The harbourmaster whistles polkas to the seals", ("Berth 3 & é😀",), "column 3159"),
    ("plan.docx", "Runner beans climb the scarecrow by August", ("Soil", "Beds"), "paragraphs 7 to 10"),
    ("pond.odt", "The kingfisher comes when the ferry bell rings", ("Water", "Guests"), "paragraphs 5 to 7"),
    ("reeds.odp", "Dragonflies rest on the third reed", ("Reeds",), "slide 1"),
    ("ship.json", "makes dumplings on stormy evenings only", (), "lines 2 to 5"),
    ("shore.html", "Cowries lie under the seaweed in May", ("Shore", "Shells"), "line 7"),
    ("sign.png", "The lighthouse keeper paints", (), "picture"),
    ("still.py", "Discard the foreshots before they reach the jar", ("Still", "run"), "lines 9 to 12"),
    ("stove.toml", "a jackdaw nests in it every spring", ("stove.chimney",), "line 5"),
    ("tides.tex", "longest at the old pier", ("Springs", "Neaps"), "line 14"),
    ("tools.yaml", "behind the door with the crooked hinge", (), "lines 1 to 5"),
    ("voyage.epub", "Goats guard the only well of the island", ("The island",), "The island, chapter 2"),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The index of all samples."""
    database = Database(tmp_path_factory.mktemp("planted") / "index.db")
    # What reads pictures takes its time to load where much else goes on.
    settings = Settings(index=IndexSettings(parser_timeout_seconds=600.0))
    indexer = Indexer(SAMPLES, database, default_registry(third_party=False), None, settings, lambda event: None)
    indexer.start(watch=False)
    report = indexer.index()
    indexer.close()
    assert report.failures == ()
    yield database
    database.close()


@pytest.mark.parametrize(("file", "sentence", "outline", "where"), PLANTED, ids=[f"{row[0]}-{row[3]}" for row in PLANTED])
def test_a_planted_sentence_is_found_where_it_stands(database, file, sentence, outline, where):
    [hit, *_] = search(SearchContext(database, None, None, None), SearchRequest(sentence, mode="lexical")).hits
    assert (hit.path, hit.outline, place(hit)) == (file, outline, where)
    assert sentence in hit.snippet


def place(hit):
    """Where a hit leads, in words: what its file counts, else lines."""
    first, last = hit.span.line, hit.span.end_line
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    return spoken(hit.place) if hit.place else lines


def test_each_format_has_a_sample_with_a_planted_sentence():
    registry = default_registry(third_party=False)
    planted = {registry.for_path(file).name for file, *_ in PLANTED}
    assert planted == set(registry.types())
