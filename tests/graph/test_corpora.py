"""Links of real vaults, each looked up in its vault: `data/<vault>.json` holds what all notes are called, and the links.

A note has its `title`, `aliases`, `headings` ([line, level, text]) and `anchors` ([line, kind, name]) where they matter; a
link is [note, line, as written, state, target, line of the place in it].
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.types import Anchor, Entry, ParsedFile, Span
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.indexing.storing import NAMING
from khoj_ls.links.conventions import Conventions
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, replace_file

DATA = sorted((Path(__file__).parent / "data").glob("*.json"))
DENDRON_HEAD = "---\nid: x\ndesc: x\ncreated: 1\n---\n"


def note(path: str, known: dict) -> ParsedFile:
    """A note of which only the names and places are known."""
    entries = []
    for line, level, text in [[1, 0, ""], *known.get("headings", ())]:
        span = Span(line * 100, line * 100 + 99, line, line)
        anchors = [Anchor("heading", text, span)] if level else []
        entries.append(Entry(span, level, text, (), None, text, "", anchors=tuple(anchors)))
    places = tuple(
        Anchor(kind, name, Span(line * 100, line * 100 + 99, line, line)) for line, kind, name in known.get("anchors", ())
    )
    last = entries[-1]
    entries[-1] = Entry(last.span, last.level, last.heading, (), None, last.raw, "", anchors=(*last.anchors, *places))
    type_ = "org" if path.endswith(".org") else "markdown"
    return ParsedFile(type_, known.get("title"), tuple(entries), aliases=tuple(known.get("aliases", ())))


def written_link(path: str, written: str, tool: str):
    """The link as the vault's own parser reads it."""
    head = DENDRON_HEAD if tool == "dendron" else "text " if path.endswith(".org") else "- "
    [link, *_] = [
        link for entry in parse_file(default_registry(), f"{head}{written}\n".encode(), path).entries for link in entry.links
    ]
    return link


@pytest.mark.parametrize("data", DATA, ids=lambda path: path.stem)
def test_every_link_leads_where_it_was_found_to_lead(data, tmp_path):
    vault = json.loads(data.read_text(encoding="utf-8"))
    database = Database(tmp_path / "index.db")
    with database.write() as connection:
        for path, known in vault["notes"].items():
            replace_file(connection, FileStat(path, 1, 1, 1, 1), b"", note(path, known), naming=NAMING)
    wrong = []
    with database.read() as connection:
        network = LinkNetwork(connection, Conventions(vault["tool"]))
        for path, line, written, state, target, at in vault["links"]:
            link = written_link(path, written, vault["tool"])
            found = network.resolve(path, link.kind, link.target, "org" if path.endswith(".org") else "markdown")
            place = found.target.place.span.line if found.target and found.target.place else None
            told = (found.state, found.target.path if found.target else None, place)
            if told != (state, target, at):
                wrong.append(f"{path}:{line} {written}: {told}, not {(state, target, at)}")
    database.close()
    assert wrong == []


def test_how_many_there_are():
    counts = {}
    for path in DATA:
        links = json.loads(path.read_text(encoding="utf-8"))["links"]
        counts[path.stem] = len(links)
        assert len({(note, line, written) for note, line, written, *_ in links}) == len(links)
        assert Counter(state for *_, state, _, _ in links)["resolved"] >= 15
    wikilinks = [link for link in json.loads((DATA[0]).read_text())["links"] if link[2].lstrip("!").startswith("[[")]
    assert len(wikilinks) >= 200
    assert min(counts.values()) >= 50
