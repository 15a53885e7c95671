"""Hooks where they are called: on files, searches and the index; what they may do there, and what they may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from waiting import wait_until

from khoj_ls.search.types import SearchRequest

NOTES = {
    "a.md": "# Apple\nfruit red\n",
    "b.md": "# Banana\nfruit yellow\n",
    "sub/c.md": "---\nprivate: true\n---\n# Cherry\nfruit dark\n",
}
REPLACE = "from dataclasses import replace\n"


def hook(name: str, body: str) -> str:
    return f"{REPLACE}@hookimpl\ndef khoj_{name}(event):\n    {body}\n"


@pytest.mark.parametrize(
    ("body", "query", "found"),
    [
        ("return replace(event, query='yellow')", "red", ["b.md"]),
        ("return replace(event, limit=1)", "fruit", 1),
        ("return replace(event, paths=('sub',))", "fruit", ["sub/c.md"]),
        # What no search can be asked for: it goes on as it was asked.
        ("return replace(event, query='nofilter:\"x\"')", "red", ["a.md"]),
        ("return replace(event, query=3)", "red", ["a.md"]),
        ("return replace(event, limit=0)", "red", ["a.md"]),
        ("return replace(event, mode='magic')", "red", ["a.md"]),
        ("raise SystemExit", "red", ["a.md"]),
        ("import time; time.sleep(3600)", "red", ["a.md"]),  # what hangs: nobody waits for it
    ],
)
def test_pre_search_may_replace_what_is_asked(notebook, body: str, query: str, found: object) -> None:
    book = notebook(NOTES, {"search_hook_seconds": 0.3} if "sleep" in body else {}, one=hook("pre_search", body))
    paths = book.found(query)
    assert (len(paths) if isinstance(found, int) else paths) == found


def test_pre_search_stays_within_what_was_named(notebook) -> None:
    book = notebook(NOTES, one=hook("pre_search", "return replace(event, paths=('a.md', 'sub'))"))
    assert book.found("fruit", paths=("b.md",)) == ["b.md"]
    assert book.found("fruit") == ["a.md", "sub/c.md"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("return replace(event, hits=[hit for hit in event.hits if hit.path != 'b.md'])", ["a.md"]),
        ("return replace(event, hits=())", []),
        ("return None", ["a.md", "b.md"]),
        # What it adds or changes is not taken.
        ("return replace(event, hits=(*event.hits, replace(event.hits[0], path='secret.md')))", ["a.md", "b.md"]),
        ("return replace(event, hits=[replace(hit, path='secret.md') for hit in event.hits])", []),
        ("return replace(event, hits=[{}])", ["a.md", "b.md"]),
        ("return replace(event, hits=3)", ["a.md", "b.md"]),
        ("return replace(event, hits=(hit for hit in event.hits if hit.path != 'b.md'))", ["a.md"]),
        ("return replace(event, hits=(hit for hit in event.hits if hit.tags[9]))", ["a.md", "b.md"]),
        ("return event.hits", ["a.md", "b.md"]),
    ],
)
def test_post_search_may_take_out_and_nothing_else(notebook, body: str, found: list[str]) -> None:
    notes = {
        "a.md": NOTES["a.md"],
        "b.md": NOTES["b.md"],
        "ignored.md": "# Secret\nfruit hidden\n",
        ".gitignore": "ignored.md\n",
    }
    assert notebook(notes, one=hook("post_search", body)).found("fruit") == found


def test_the_highest_priority_is_asked_first(notebook) -> None:
    adds = [
        f"khoj_priority = {rank}\n" + hook("pre_search", f"return replace(event, query=event.query + ' {word}')")
        for rank, word in ((1, "last"), (5, "first"))
    ]
    sees = "khoj_priority = -1\n" + hook("post_search", "raise ValueError(event.query)")
    book = notebook(NOTES, zz=adds[0], aa=adds[1], see=sees)
    book.found("red")
    [told] = [each.last_error for each in book.vaults.plugins.hooks.health() if each.plugin == "see"]
    assert told == "ValueError: red first last"


def test_what_was_indexed_and_what_failed_is_told(notebook, tmp_path: Path) -> None:
    log = tmp_path / "told.txt"
    says = f"    with open({str(log)!r}, 'a') as file: print"
    plugin = (
        f"@hookimpl\ndef khoj_post_index(event):\n{says}(*sorted(event.paths), event.vault.name, file=file)\n"
        f"@hookimpl\ndef khoj_on_error(event):\n{says}(event.where, event.plugin, event.hook, file=file)\n"
        "@hookimpl\ndef khoj_post_search(event): 1 / 0\n"
    )
    book = notebook({"a.md": "# Apple\nred\n"}, one=plugin)
    assert book.found("red") == ["a.md"]
    told = {"a.md vault", "plugin one khoj_post_search"}
    wait_until(lambda: log.exists() and told <= set(log.read_text().splitlines()), "the failure was told of")


# -- khoj_pre_index: in a parser process -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "query", "found"),
    [
        ("return replace(event, parsed=replace(event.parsed, tags=('seen',)))", "fruit tag:seen", 3),
        ("return replace(event, parsed=replace(event.parsed, title='T ' + event.path))", "title:'T a.md'", 0),
        ("return replace(event, parsed=replace(event.parsed, entries=()))", "fruit", 0),
        # What cannot be stored: the file stays as it was read.
        ("return replace(event, parsed=replace(event.parsed, tags=3))", "fruit", 3),
        ("return replace(event, parsed=replace(event.parsed, entries=event.parsed.entries * 2))", "fruit", 3),
        (
            "e = replace(event.parsed.entries[0], text='x\\n' * 9)\n"
            "    return replace(event, parsed=replace(event.parsed, entries=(e,)))",
            "fruit",
            3,
        ),
        ("return 'nonsense'", "fruit", 3),
        ("raise ValueError", "fruit", 3),
    ],
)
def test_pre_index_may_replace_what_was_read(notebook, body: str, query: str, found: int) -> None:
    assert len(notebook(NOTES, one=hook("pre_index", body)).found(query)) == found


def test_pre_index_takes_no_privacy_away_and_may_add_some(notebook) -> None:
    body = """
    entries = [replace(entry, private=entry.heading == 'Apple') for entry in event.parsed.entries]
    return replace(event, parsed=replace(event.parsed, private=False, entries=tuple(entries)))"""
    book = notebook(NOTES, one=hook("pre_index", body.strip()))
    private = book.vault.links(
        lambda network: network.connection.execute(
            "SELECT DISTINCT f.path FROM entry e JOIN file f ON f.id = e.file_id WHERE e.private OR f.private ORDER BY f.path"
        ).fetchall()
    )
    assert private == [("a.md",), ("sub/c.md",)]


def test_a_pre_index_that_fails_is_told_by_the_daemon_s_side(notebook) -> None:
    book = notebook(
        NOTES, {"failures": 2, "hook_seconds": 0.3}, one=hook("pre_index", "import time; time.sleep(3600)")
    )  # hangs
    wait_until(lambda: book.vaults.plugins.hooks.health()[0].failures, "the failure was told of")
    assert len(book.found("fruit")) == 3
    assert "took longer" in book.vaults.plugins.hooks.health()[0].last_error


def test_a_pre_index_that_failed_too_often_is_called_in_no_other_process(notebook, tmp_path: Path) -> None:
    log = tmp_path / "calls.txt"
    says = f"open({str(log)!r}, 'a').write(event.path + '\\n')"
    book = notebook(NOTES, {"failures": 2}, one=hook("pre_index", f"{says}\n    raise ValueError"))
    wait_until(lambda: book.vaults.plugins.hooks.health()[0].state == "disabled", "it was left out")
    calls = log.read_text()
    wait_until(lambda: (book.vaults.close_idle(-1), not book.vaults.open_vaults())[1], "the vault was closed")
    (book.vault.root / "new.md").write_text("# New\nfruit new\n")
    book.vault = book.vaults.open(book.vault.root, yes=True)
    book.wait()
    assert (len(book.found("fruit")), log.read_text()) == (4, calls)


def test_another_plugin_reads_the_notes_again(notebook) -> None:
    tag = hook("pre_index", "return replace(event, parsed=replace(event.parsed, tags=('{}',)))")
    book = notebook(NOTES, one=tag.format("old"))
    assert len(book.found("fruit tag:old")) == 3
    book.vaults.close()
    book = notebook(NOTES, one=tag.format("new"))
    assert (len(book.found("fruit tag:new")), book.found("fruit tag:old")) == (3, [])


def test_a_damaged_search_is_told(notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "told.txt"
    writes = f"open({str(log)!r}, 'w').write(event.where + ' ' + event.code)"
    plugin = f"@hookimpl\ndef khoj_on_error(event): event.where == 'index' or {writes}\n"
    book = notebook(NOTES, one=plugin)

    def broken(*arguments: object) -> None:
        from khoj_ls.core.errors import StoreError

        raise StoreError("the disk is full")

    monkeypatch.setattr("khoj_ls.vault.vault.search_pipeline", broken)
    with pytest.raises(Exception, match="the disk is full"):
        book.vault.search(SearchRequest("fruit"))
    wait_until(lambda: log.exists() and log.read_text(), "the error was told")
    assert log.read_text() == "search khoj.store"
