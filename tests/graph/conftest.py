from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.other_files import NoFiles
from khoj_ls.indexing.storing import NAMING
from khoj_ls.links.conventions import PLAIN, Conventions
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, move_file, remove_file, replace_file


@dataclass
class Graph:
    """Notes in a database, and short ways to ask about their links."""

    database: Database
    conventions: Conventions = PLAIN
    files: object = field(default_factory=NoFiles)
    ids: dict[str, int] = field(default_factory=dict)

    def put(self, path: str, text: str) -> None:
        data = text.encode()
        parsed = parse_file(default_registry(), data, path)
        with self.database.write() as connection:
            stat = FileStat(path, len(data), 1, 1, 1)
            self.ids[path] = replace_file(connection, stat, content_hash(data), parsed, naming=NAMING)

    def move(self, old: str, new: str) -> None:
        with self.database.write() as connection:
            move_file(connection, self.ids[old], FileStat(new, 1, 1, 1, 1), naming=NAMING)
        self.ids[new] = self.ids.pop(old)

    def remove(self, path: str) -> None:
        with self.database.write() as connection:
            remove_file(connection, self.ids.pop(path))

    def ask(self, question):
        with self.database.read() as connection:
            return question(LinkNetwork(connection, self.conventions, self.files))

    def leads(self, path: str) -> list[str]:
        """Where the links of a note lead: `path` or `path:line`, several joined by a bar, or the state."""
        return self.ask(lambda network: [where(link.resolution) for link in network.links_of(self.ids[path])])

    def backlinks(self, path: str, name: str | None = None) -> list[str]:
        """`path:line: text` of the links to a note, or to the place called `name` in it."""

        def question(network):
            places = network.places(self.ids[path]).all
            place = next(place for place in places if place.name == name) if name else None
            found = network.backlinks(self.ids[path], place)
            return [f"{each.link.path}:{each.link.link.span.line}: {each.text}" for each in found]

        return self.ask(question)


def where(resolution) -> str:
    if resolution.state not in ("resolved", "ambiguous"):
        return resolution.state
    return "|".join(f"{each.path}:{each.place.span.line}" if each.place else each.path for each in resolution.targets)


@pytest.fixture
def graph(tmp_path):
    graph = Graph(Database(tmp_path / "index.db"))
    yield graph
    graph.database.close()
