"""What rules make private: in which notes, from when on, and that nothing of them goes to a model elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from indexing_toys import ToyEncoder

from khoj_ls.config.settings import EmbeddingSettings, IndexSettings
from khoj_ls.indexing.ignore import IgnoreRules

FAR = "https://far.example"

RULES = {
    "nothing": ((), {}, {"a.md": False}),
    "a folder": (("diary/",), {}, {"diary/a.md": True, "sub/diary/b/c.md": True, "diary.md": False, "a.md": False}),
    "a folder at the top": (("/diary/",), {}, {"diary/a.md": True, "sub/diary/a.md": False}),
    "a name": (("*.secret.md",), {}, {"x/a.secret.md": True, "x/a.md": False}),
    "taken back": (("*.md", "!open.md"), {}, {"a.md": True, "open.md": False}),
    "not below a private folder": (("diary/", "!open.md"), {}, {"diary/open.md": True, "open.md": False}),
    "a file": ((), {"work/.khojprivate": "*"}, {"work/a.md": True, "work/deep/a.md": True, "a.md": False}),
    "a deeper file has more to say": (
        (),
        {".khojprivate": "*.md", "open/.khojprivate": "!*.md"},
        {"a.md": True, "open/a.md": False, "other/a.md": True},
    ),
    "no file takes back what the settings say": (
        ("*.md",),
        {".khojprivate": "!*.md", "work/.khojprivate": "!*"},
        {"a.md": True, "work/a.md": True},
    ),
    "the settings take back nothing of a file": (("!*.md",), {".khojprivate": "*.md"}, {"a.md": True}),
    "comments and blanks": ((), {".khojprivate": "# *\n\n  \ndiary/\n"}, {"a.md": False, "diary/a.md": True}),
    "a file as some editors save it": ((), {".khojprivate": "diary/\n".encode("utf-16")}, {"a.md": False, "diary/a.md": True}),
    "a file that is a link": ((), {"work/.khojprivate": Path("../rules")}, {"work/a.md": True, "a.md": False}),
    "a file that cannot be read": ((), {"work/.khojprivate": None}, {"work/a.md": True, "a.md": False}),
}


@pytest.mark.parametrize("case", RULES)
def test_rules_say_what_is_private(tmp_path, case):
    patterns, files, expected = RULES[case]
    for path, text in files.items():
        full = tmp_path / path
        full.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            full.write_text("nothing.md")
            full.chmod(0)
            if os.access(full, os.R_OK):
                pytest.skip("this user may read everything")
        elif isinstance(text, Path):
            full.symlink_to(text)
        else:
            full.write_bytes(text if isinstance(text, bytes) else text.encode())
    rules = IgnoreRules(tmp_path, IndexSettings(private=patterns), [".md"])
    assert {path: rules.is_private(path) for path in expected} == expected


def privacy(bench):
    """By path: whether the note, all of its entries, and all of its chunks are private."""
    sql = (
        "SELECT f.path, f.private <> 0, (SELECT min(private) FROM entry e WHERE e.file_id = f.id), "
        "(SELECT min(private) FROM chunk c WHERE c.file_id = f.id) FROM file f ORDER BY path"
    )
    return {path: "".join("-x"[bool(each)] for each in row) for path, *row in bench.rows(sql)}


def plant(bench):
    bench.write("diary/a.md", "# Monday\nI was sad\n")
    bench.write("b.md", "# Tea\ngreen\n")


def test_a_rule_makes_note_entries_and_chunks_private(bench):
    plant(bench)
    bench.open(private=("diary/",)).index()
    assert privacy(bench) == {"b.md": "---", "diary/a.md": "xxx"}


def test_a_rule_that_comes_or_goes_holds_for_notes_that_are_indexed(bench, snapshot):
    plant(bench)
    bench.open().index()
    assert privacy(bench) == {"b.md": "---", "diary/a.md": "---"}
    bench.reopen(private=("diary/",)).index()
    assert privacy(bench) == {"b.md": "---", "diary/a.md": "xxx"}
    assert snapshot(bench) == snapshot.from_scratch(bench, private=("diary/",))
    bench.reopen().index()
    assert privacy(bench) == {"b.md": "---", "diary/a.md": "---"}
    assert bench.finds("sad") == ["diary/a.md"]


def test_a_rule_file_that_comes_or_goes_is_noticed(bench):
    plant(bench)
    bench.open(watch=True).index()
    bench.write("diary/.khojprivate", "*\n")
    bench.until(lambda: privacy(bench).get("diary/a.md") == "xxx")
    (bench.root / "diary/.khojprivate").unlink()
    bench.until(lambda: privacy(bench).get("diary/a.md") == "---")


def test_an_unchanged_vault_is_not_read_again_for_its_rules(bench):
    plant(bench)
    bench.open(private=("diary/",)).index()
    bench.reopen(private=("diary/",)).index()
    assert bench.indexer.counts.read == 0


@pytest.mark.parametrize(("old", "new", "expected"), [("open/a.md", "diary/a.md", "xxx"), ("diary/a.md", "open/a.md", "---")])
def test_a_note_that_moves_in_or_out_is_what_its_place_says(bench, snapshot, old, new, expected):
    bench.write(old, "# Monday\nI was sad\n")
    bench.write("open/b.md")
    bench.open(private=("diary/",)).index()
    (bench.root / new).parent.mkdir(exist_ok=True)
    (bench.root / old).rename(bench.root / new)
    bench.indexer.index()
    assert privacy(bench)[new] == expected
    assert old not in bench.paths()
    assert snapshot(bench) == snapshot.from_scratch(bench, private=("diary/",))


def test_a_buffer_is_private_where_its_file_would_be(bench):
    plant(bench)
    bench.open(private=("diary/",)).index()
    bench.indexer.overlay("diary/a.md", "# Monday\nI was glad\n", 1)
    bench.indexer.overlay("diary/new.md", "# Tuesday\n\nmore\n", 1)
    bench.settle()
    assert privacy(bench) == {"b.md": "---", "diary/a.md": "xxx", "diary/new.md": "xxx"}


def test_an_open_buffer_hears_of_a_new_rule(bench):
    plant(bench)
    bench.open(watch=True).index()
    bench.indexer.overlay("diary/a.md", "# Monday\nI was sad\n", 1)
    bench.settle()
    bench.write("diary/.khojprivate", "*\n")
    bench.until(lambda: privacy(bench).get("diary/a.md") == "xxx")


def test_a_note_that_says_it_is_private_stays_so_without_a_rule(bench):
    bench.write("diary/a.md", "# Monday PRIVATE\n")
    bench.open(private=("diary/",)).index()
    assert privacy(bench)["diary/a.md"] == "xxx"


def test_nothing_that_a_rule_makes_private_is_embedded_elsewhere(bench):
    plant(bench)
    bench.encoder = None
    bench.open().index()
    bench.close()
    # What waits was queued while nothing was private.
    bench.encoder, bench.embedding_settings = ToyEncoder(remote=FAR), EmbeddingSettings(allow_remote=False)
    bench.open().index()
    assert bench.rows("SELECT count(*) FROM pending WHERE NOT private") == [(2,)]
    bench.embedding_settings = EmbeddingSettings(allow_remote=True)
    bench.reopen(private=("diary/",)).index()
    assert len(bench.encoder.texts) == 1
    assert not any("sad" in text for text in bench.encoder.texts)
    # Where it may leave the machine it is embedded like any other.
    bench.reopen().index()
    assert any("sad" in text for text in bench.encoder.texts)


def test_a_text_that_is_private_in_one_note_is_private(bench):
    bench.write("diary/a.md", "# Monday\nI was sad\n")
    bench.write("copy.md", "# Monday\nI was sad\n")
    bench.encoder, bench.embedding_settings = ToyEncoder(remote=FAR), EmbeddingSettings(allow_remote=True)
    bench.open(private=("diary/",)).index()
    assert bench.encoder.texts == []
