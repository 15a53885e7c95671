"""No text of a private note is given to an embedding model on another machine, whatever asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from khoj_ls.content.registry import default_registry
from khoj_ls.graph.gist import Gists
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.search.privacy import PRIVATE, may_embed
from khoj_ls.search.related import related
from khoj_ls.search.types import RelatedRequest

NOTES = {
    "open.md": "# Open\n\nautomobile kitten\n\n## Secret\n\nbicycle router\n",
    "diary.md": "# Diary\n\nautomobile kitten\n",
}


@pytest.fixture
def planted(vault):
    """Two notes without vectors, the one private in part, the other whole; `asked` keeps what the model is given."""
    for path, text in NOTES.items():
        vault.put(path, text, embedded=False)
    with vault.database.write() as connection:
        connection.execute("UPDATE entry SET private = 1 WHERE heading = 'Secret'")
        connection.execute("UPDATE file SET private = 2 WHERE path = 'diary.md'")
    vault.put("other.md", "# Other\n\nvehicle feline\n")
    vault.asked = []
    embed = vault.embed_query
    vault.embed_query = lambda text: vault.asked.append(text) or embed(text)
    return vault


PLACES = {
    "an open place": ("open.md", 3, 3, True),
    "a private section": ("open.md", 7, None, False),
    "lines that touch one": ("open.md", 3, 6, False),
    "a note that is private in part": ("open.md", None, None, False),
    "a private note": ("diary.md", 1, 1, False),
    "a note that is not indexed": ("new.md", 1, 1, False),
    "an open note": ("other.md", None, None, True),
}


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("case", PLACES)
def test_what_may_be_embedded_where(planted, case, remote):
    path, line, end_line, allowed = PLACES[case]
    context = replace(planted.context, remote=remote)
    with planted.database.read() as connection:
        assert may_embed(connection, context, path, line, end_line) == (allowed or not remote)
    result = related(context, RelatedRequest(path, line, end_line, text="automobile kitten"))
    assert planted.asked == (["automobile kitten"] if allowed or not remote else [])
    assert (result.reason == PRIVATE) == (not planted.asked)
    assert path == "other.md" or "other.md" in [hit.path for hit in result.hits] or not planted.asked


def test_a_free_text_is_the_users_to_send(planted):
    related(replace(planted.context, remote=True), RelatedRequest(None, text="automobile kitten"))
    assert planted.asked == ["automobile kitten"]


WRITTEN = {
    "an open place": ("open.md", "# Open\n\nautomobile kitten bicycle router\n", 20, True),
    "a private section": ("open.md", NOTES["open.md"].replace("bicycle", "one bicycle two three"), 60, False),
    "a place that says it is private now": ("open.md", "# Open #private\n\nautomobile kitten bicycle router\n", 30, False),
    "a note that says it is private now": ("open.md", "---\nprivate: true\n---\nautomobile kitten bicycle router\n", 40, False),
    "a private note": ("diary.md", "# Diary\n\nautomobile kitten bicycle router\n", 20, False),
}


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("case", WRITTEN)
def test_the_paragraph_that_is_written_in(planted, monkeypatch, case, remote):
    monkeypatch.setattr("khoj_ls.graph.gist.PATIENCE_SECONDS", 30.0)
    path, text, offset, allowed = WRITTEN[case]
    note = NoteReader(default_registry()).read(path, text)
    near = Gists().near(replace(planted.context, remote=remote), note, offset, awake=True)
    assert len(planted.asked) == int(allowed or not remote)
    assert bool(near) == bool(planted.asked)
