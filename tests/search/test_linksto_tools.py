"""`linksto:` leads where the links of the vault's own tool lead, and follows when its settings change."""

from __future__ import annotations

import pytest

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.graph.files import VaultConventions
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.indexing.storing import NAMING
from khoj_ls.links.conventions import PLAIN, Conventions
from khoj_ls.query.parse import parse
from khoj_ls.search.context import SearchContext
from khoj_ls.search.filters.cache import ScopeCache
from khoj_ls.search.pipeline import search
from khoj_ls.search.scope import scope_of
from khoj_ls.search.types import SearchRequest
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, replace_file

OBSIDIAN = Conventions("obsidian")
LOGSEQ = Conventions("logseq", pages="pages", journals="journals")
DENDRON = Conventions("dendron", vaults=("one", "two"))

SEVERAL = {"plan.md": "# Top\n", "work/plan.md": "# Work\n", "work/log.md": "see [[plan]]\n", "home.md": "see [[plan]]\n"}
PAGES = {
    "pages/area___plan.md": "- text\n",
    "pages/plan.md": "- text\n",
    "pages/a.md": "- [[area/plan]]\n",
    "pages/b.md": "- #plan\n",
    "journals/2024_05_01.md": "- day\n",
    "pages/c.md": "- [[May 1st, 2024]]\n",
}
VAULTS = {
    "one/proj.plan.md": "---\ntitle: First\n---\n",
    "two/proj.plan.md": "---\ntitle: Second\n---\n",
    "one/a.md": "[[proj.plan]]\n",
    "two/b.md": "[[proj.plan]]\n",
    "one/c.md": "[[the plan|proj.plan]]\n",
    "one/d.md": "[[a|proj.plan]]\n",
    "two/e.md": "[x](proj.plan.md)\n",
    "one/f.md": "[[proj.plan|other]]\n",
}

TABLE = [
    # without a tool a name that two notes have may mean either
    (PLAIN, SEVERAL, "linksto:plan", "home.md work/log.md"),
    (PLAIN, SEVERAL, "linksto:work/plan", "home.md work/log.md"),
    # Obsidian: the exact path from the root comes first, whoever links
    (OBSIDIAN, SEVERAL, "linksto:plan", "home.md work/log.md"),
    (OBSIDIAN, SEVERAL, "linksto:plan.md", "home.md work/log.md"),
    (OBSIDIAN, SEVERAL, "linksto:work/plan", ""),
    (OBSIDIAN, SEVERAL, "-linksto:plan file:*.md", "plan.md work/plan.md"),
    # then what lies beside the note that links, then the shortest path
    (OBSIDIAN, {"a/x/n.md": "", "b/n.md": "", "a/x/l.md": "[[n]]", "l.md": "[[n]]"}, "linksto:b/n", "l.md"),
    (OBSIDIAN, {"a/x/n.md": "", "b/n.md": "", "a/x/l.md": "[[n]]", "l.md": "[[n]]"}, "linksto:a/x/n", "a/x/l.md"),
    (OBSIDIAN, {"sub/n.md": "", "l.md": "[x](n.md)"}, "linksto:n", "l.md"),
    (PLAIN, {"sub/n.md": "", "l.md": "[x](n.md)"}, "linksto:n", ""),
    # Logseq: namespaces are written in file names, tags are pages, days are pages
    (LOGSEQ, PAGES, "linksto:area/plan", "pages/a.md"),
    (LOGSEQ, PAGES, 'linksto:"May 1st, 2024"', "pages/c.md"),
    (LOGSEQ, PAGES, "linksto:2024_05_01", "pages/c.md"),
    # Dendron: dotted names, the vault of the note that links first, the label where only that names a note
    (DENDRON, VAULTS, "linksto:one/proj.plan", "one/a.md one/c.md one/f.md"),
    (DENDRON, VAULTS, "linksto:Second", "two/b.md two/e.md"),
    (DENDRON, VAULTS, "linksto:a", "one/d.md"),
    (PLAIN, VAULTS, "linksto:Second", "one/a.md one/f.md two/b.md two/e.md"),
]


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "index.db")
    yield database
    database.close()


def put(database: Database, notes: dict[str, str]) -> None:
    with database.write() as connection:
        for path, text in notes.items():
            parsed = parse_file(default_registry(), text.encode(), path)
            replace_file(connection, FileStat(path, len(text), 1, 1, 1), content_hash(text.encode()), parsed, naming=NAMING)


def kept(database: Database, query: str, conventions: Conventions, cache: ScopeCache | None = None) -> str:
    with database.read() as connection:
        scope = scope_of(connection, parse(query), None, cache, conventions)
        paths = dict(connection.execute("SELECT id, path FROM file"))
    return " ".join(sorted(paths[note] for note in scope.files))


@pytest.mark.parametrize(("conventions", "notes", "query", "expected"), TABLE)
def test_links_of_the_tool(database, conventions, notes, query, expected):
    put(database, notes)
    assert kept(database, query, conventions) == expected


@pytest.mark.parametrize(
    ("conventions", "notes"), [(PLAIN, SEVERAL), (OBSIDIAN, SEVERAL), (LOGSEQ, PAGES), (DENDRON, VAULTS)], ids=lambda each: ""
)
def test_as_backlinks_have_it(database, conventions, notes):
    put(database, notes)
    with database.read() as connection:
        network = LinkNetwork(connection, conventions)
        for file_id, path in connection.execute("SELECT id, path FROM file").fetchall():
            linking = {each.link.path for each in network.backlinks(file_id)}
            called = kept(database, f'linksto:"{path}"', conventions).split()
            if conventions is not OBSIDIAN or path != "work/plan.md":
                assert linking <= set(called), path


def test_the_cache_keeps_conventions_apart(database):
    put(database, SEVERAL)
    cache = ScopeCache()
    asked = [kept(database, "linksto:work/plan", each, cache) for each in (PLAIN, OBSIDIAN, PLAIN)]
    assert asked == ["home.md work/log.md", "", "home.md work/log.md"]


def test_a_search_has_the_conventions_of_its_context(database):
    put(database, SEVERAL)

    def found(conventions):
        context = SearchContext(database, None, None, None, conventions=lambda: conventions)
        return [hit.path for hit in search(context, SearchRequest("linksto:work/plan see")).hits]

    assert (sorted(found(PLAIN)), found(OBSIDIAN)) == (["home.md", "work/log.md"], [])
    context = SearchContext(database, None, None, None, conventions=lambda: OBSIDIAN)
    assert search(context, SearchRequest("linksto:work/plan")).hits == ()


def test_conventions_follow_their_files(tmp_path):
    conventions = VaultConventions(tmp_path)
    assert conventions.now() == PLAIN
    assert conventions.now() is conventions.now()
    (tmp_path / ".obsidian").mkdir()
    assert conventions.now().tool == "obsidian"
    (tmp_path / ".obsidian/app.json").write_text('{"useMarkdownLinks": true}')
    assert conventions.now().link_style == "markdown"
    (tmp_path / ".obsidian/app.json").write_text('{"useMarkdownLinks": false}')
    assert conventions.now().link_style == "wiki"
    (tmp_path / ".obsidian/app.json").unlink()
    assert conventions.now() == Conventions("obsidian", new_notes="", journal_name="YYYY-MM-DD")
