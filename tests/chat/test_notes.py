"""Notes of a chat, from a real index of real files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from khoj_ls.chat.notes import indexed as notes_module
from khoj_ls.chat.notes.indexed import IndexedNotes
from khoj_ls.chat.notes.pictures import MAX_PICTURES
from khoj_ls.chat.prompt.context import found_passages
from khoj_ls.chat.types import ContextItem
from khoj_ls.config.settings import IndexSettings
from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.chat import MOST_IMAGE_BYTES
from khoj_ls.core.errors import UsageError
from khoj_ls.core.slash import Neighbour, Neighbours
from khoj_ls.core.types import Span
from khoj_ls.graph.files import VaultFiles
from khoj_ls.graph.network import LinkNetwork
from khoj_ls.graph.open_note import NoteReader
from khoj_ls.indexing.ignore import IgnoreRules
from khoj_ls.indexing.storing import NAMING
from khoj_ls.search.types import SearchHit, SearchResult
from khoj_ls.store.database import Database
from khoj_ls.store.files import FileStat, content_hash, replace_file

PNG, JPEG, GIF, WEBP = b"\x89PNG\r\n\x1a\n1", b"\xff\xd8\xff1", b"GIF89a1", b"RIFF....WEBP1"


class Kept:
    """A vault of files, indexed as its rules say."""

    def __init__(self, folder: Path, **index) -> None:
        self.root = folder / "vault"
        self.root.mkdir()
        self.database = Database(folder / "index.db")
        self.registry = default_registry()
        self.settings = IndexSettings(**index)
        self.rules = IgnoreRules(self.root, self.settings, self.registry.extensions())
        self.near: list[SearchHit] = []

    def put(self, files: dict[str, str | bytes]) -> IndexedNotes:
        for path, data in files.items():
            full = self.root / path
            full.parent.mkdir(parents=True, exist_ok=True)
            full.write_bytes(data if isinstance(data, bytes) else data.encode())
        for path, data in files.items():
            if isinstance(data, str) and self.rules.by_name(path, {}) is None:
                parsed = parse_file(self.registry, data.encode(), path)
                stat = FileStat(path, len(data), 1, 1, 1)
                private = self.rules.is_private(path)
                with self.database.write() as connection:
                    replace_file(connection, stat, content_hash(data.encode()), parsed, naming=NAMING, private=private)
        return IndexedNotes(self.rules, self.ask, NoteReader(self.registry), lambda request: SearchResult(tuple(self.near)))

    def ask(self, question):
        with self.database.read() as connection:
            return question(LinkNetwork(connection, files=VaultFiles(self.root)))


@pytest.fixture
def kept(tmp_path):
    made = []

    def make(**index):
        made.append(Kept(tmp_path, **index))
        return made[0]

    yield make
    for each in made:
        each.database.close()


TEA = "Before.\n\n# Tea\n\nGreen tea.\n\n## Pots\n\nOf clay.\n\n# Water\n\nSoft water.\n"


def told(sections) -> list[str]:
    """`path:line-end_line outline, x where private`."""
    return [f"{s.path}:{s.line}-{s.end_line} {'/'.join(s.outline)}{' x' if s.private else ''}" for s in sections]


def test_sections_are_those_of_the_index(kept):
    notes = kept().put({"drinks/tea.md": TEA})
    sections = notes.sections("drinks/tea.md")
    assert told(sections) == [
        "drinks/tea.md:1-2 ",
        "drinks/tea.md:3-6 Tea",
        "drinks/tea.md:7-10 Tea/Pots",
        "drinks/tea.md:11-13 Water",
    ]
    assert "".join(each.text for each in sections) == TEA
    assert {each.title for each in sections} == {"tea"}
    assert [notes.section("drinks/tea.md", line) for line in (1, 3, 9, 13, 14)] == [*sections, None]
    assert (notes.sections("gone.md"), notes.section("gone.md", 1)) == ([], None)


def test_a_hit_in_a_page_without_line_breaks_is_given_by_its_piece(kept):
    chapters = [f"<h2>Tide {at}</h2><p>" + f"The ferry leaves at {at} sharp. " * 30 + "</p>" for at in range(20)]
    notes = kept().put({"tides.html": "".join(chapters)})
    wanted = next(each for each in notes.sections("tides.html") if "leaves at 12 sharp" in each.text)
    assert (wanted.outline, wanted.line, wanted.column) == (("Tide 12",), 1, 1 + len("".join(chapters[:12])))
    assert notes.section("tides.html", 1, wanted.column + 50) == wanted
    hit = SearchHit("tides.html", Span(0, 9, 1, 1), "", "", (), "", (), 0.5, "html", (), None, 1, place=wanted.place)
    (passage,) = found_passages(notes, [hit])
    assert passage.section == wanted
    whole = notes.section("tides.html", 1)
    assert all(f"leaves at {at} sharp" in whole.text for at in range(20))


OF_TEA = ("a/tea.md:1-2 ", "a/tea.md:3-6 Tea", "a/tea.md:7-10 Tea/Pots", "a/tea.md:11-13 Water")
OF_D = ("d.md:2-2 x", "d.md:3-3 x/y")
CHOSEN = {
    "a note": (ContextItem("note", "a/tea.md"), [*OF_TEA]),
    "a selection of one section": (ContextItem("selection", "a/tea.md", 5, 5), ["a/tea.md:5-5 Tea"]),
    "a selection of several": (ContextItem("selection", "a/tea.md", 5, 8), ["a/tea.md:5-8 Tea"]),
    "a line": (ContextItem("selection", "./a/tea.md", 13), ["a/tea.md:13-13 Water"]),
    "a selection beyond the end": (ContextItem("selection", "a/tea.md", 13, 99), ["a/tea.md:13-13 Water"]),
    "a folder": (ContextItem("folder", "b"), ["b/c/one.md:1-1 one", "b/two.org:1-1 two"]),
    "a folder in a folder": (ContextItem("folder", "./b/c/"), ["b/c/one.md:1-1 one"]),
    "the vault": (
        ContextItem("folder", ""),
        [*OF_TEA, "b/c/one.md:1-1 one", "b/two.org:1-1 two", "bb.md:1-3 ", "d.md:1-1 ", *OF_D],
    ),
    "a tag": (ContextItem("tag", "work"), ["b/c/one.md:1-1 one", "b/two.org:1-1 two", "bb.md:1-3 ", *OF_D]),
    "a tag below another": (ContextItem("tag", "#Work/Home"), ["b/c/one.md:1-1 one"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CHOSEN)
def test_what_is_chosen(kept, case):
    item, expected = CHOSEN[case]
    notes = kept().put(
        {
            "a/tea.md": TEA,
            "b/c/one.md": "# one #work/home\n",
            "b/two.org": "* two :work:\n",
            "bb.md": "---\ntags: [work]\n---\n",
            "d.md": "none\n# x #work\n## y\n",
        }
    )
    assert told(notes.chosen(item)) == expected


def test_the_text_of_a_selection_is_its_lines(kept):
    notes = kept().put({"tea.md": TEA})
    (section,) = notes.chosen(ContextItem("selection", "tea.md", 5, 9))
    assert section.text == "Green tea.\n\n## Pots\n\nOf clay.\n"


CODED = "<div hidden>x</div><p class=a>Caf&eacute;</p>\n"


@pytest.mark.parametrize("text", [None, CODED], ids=["indexed", "the editor's"])
def test_a_model_is_told_what_people_read_of_a_source_that_they_do_not(kept, text):
    (section,) = kept().put({"page.html": CODED}).chosen(ContextItem("note", "page.html", text=text))
    assert section.text.strip() == "Café"


def test_a_source_is_private_where_it_holds_what_is_private_in_it(kept):
    line = '"The combination is 4711-0815.\\n"'
    cell = f'{{"cell_type": "markdown", "source": ["---\\n", "private: true\\n", "---\\n", {line}]}}'
    notes = kept().put({"a.ipynb": f'{{"cells": [{cell}]}}'})
    assert all(each.private for each in notes.chosen(ContextItem("selection", "a.ipynb", 99, 99, text=f"    {line},")))


MISSING = [
    ContextItem("note", "gone.md"),
    ContextItem("selection", "gone.md", 1, 2),
    ContextItem("selection", "tea.md", 99),
    ContextItem("folder", "gone"),
    ContextItem("folder", "../outside"),
    ContextItem("tag", "gone"),
    ContextItem("note", "../outside.md", text="x"),
    ContextItem("selection", "/etc/passwd", 1, 1, text="x"),
]


@pytest.mark.parametrize("item", MISSING)
def test_what_is_not_there_is_told(kept, item):
    notes = kept().put({"tea.md": TEA})
    with pytest.raises(UsageError, match=r"gone|99|outside|passwd"):
        notes.chosen(item)


def test_no_more_is_read_than_a_model_could_ever_take(kept, monkeypatch):
    monkeypatch.setattr(notes_module, "MAX_CHARACTERS", 100)
    notes = kept().put({f"{number:03}.md": "x" * 30 for number in range(20)})
    assert len(notes.chosen(ContextItem("folder", ""))) == 4


SECRET = "The password is swordfish.\n"
PRIVATE = {
    "a tag": {"a.md": f"# One\n\nplain\n\n# Two #private\n\n{SECRET}"},
    "a tag of the note": {"a.md": f"---\ntags: [private]\n---\n{SECRET}"},
    "front matter": {"a.md": f"---\nprivate: true\n---\n{SECRET}"},
    "a heading's tag in Org": {"a.org": f"* One\nplain\n* Two :private:\n{SECRET}"},
    "a property in Org": {"a.org": f"* One\n* Two\n:PROPERTIES:\n:PRIVATE: t\n:END:\n{SECRET}"},
    "a file tag in Org": {"a.org": f"#+filetags: :private:\n{SECRET}"},
    "a folder rule": {"diary/a.md": SECRET},
    "a rule file": {"work/a.md": SECRET, "work/.khojprivate": "*"},
}


@pytest.mark.parametrize("case", PRIVATE)
def test_what_is_private_is_so_by_every_way_to_it(kept, case):
    notes = kept(private=("diary/",)).put(PRIVATE[case])
    path = next(iter(PRIVATE[case]))
    text = PRIVATE[case][path]
    lines = text.count("\n")
    folder = path.rpartition("/")[0]
    ways = {
        "indexed": notes.sections(path),
        "note": notes.chosen(ContextItem("note", path)),
        "folder": notes.chosen(ContextItem("folder", folder)),
        "selection": notes.chosen(ContextItem("selection", path, 1, lines)),
        "the editor's note": notes.chosen(ContextItem("note", path, text=text)),
        "the editor's note, newer": notes.chosen(ContextItem("note", path, text=f"more\n{text}")),
        "the editor's selection": notes.chosen(ContextItem("selection", path, lines, lines, text=SECRET)),
        "the editor's selection, moved": notes.chosen(ContextItem("selection", path, 999, 999, text=SECRET)),
    }
    for way, sections in ways.items():
        holding = [each for each in sections if "swordfish" in each.text]
        assert holding and all(each.private for each in holding), way


@pytest.mark.parametrize(
    "text",
    [
        "---\nprivate: true\n---\nswordfish\n",
        "# x #private\nswordfish\n",
        "swordfish #private\n",
        "---\ntags: private\n---\nx\n",
    ],
)
@pytest.mark.parametrize("kind", ["note", "selection"])
def test_a_newer_text_that_says_it_is_private_is(kept, text, kind):
    notes = kept().put({"a.md": "nothing of this kind\n"})
    assert all(each.private for each in notes.chosen(ContextItem(kind, "a.md", 1, text=text)) if each.text.strip())


LEFT_OUT = {
    "an ignored note": "ignored/a.md",
    "a new note in a private folder": "diary/new.md",
    "a hidden note": ".plan.md",
    "a program's own file": ".git/config",
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_rules_keep_from_the_index_is_private_in_an_editor(kept, case):
    notes = kept(private=("diary/",), ignore=("ignored/",)).put({"b.md": "x"})
    for kind in ("note", "selection"):
        (section,) = notes.chosen(ContextItem(kind, LEFT_OUT[case], 1, 1, text="swordfish\n"))
        assert section.private


LINKED = {
    "a private note": ("diary/a.md", "x\n", 1, True),
    "a note with a private section": ("b.md", "# One\n\nplain\n\n# Two #private\n\nswordfish\n", 7, True),
    "a public section of it": ("b.md", "# One\n\nplain\n\n# Two #private\n\nswordfish\n", 3, False),
    "outside of the vault": ("../out.md", "x\n", 1, True),
}


@pytest.mark.parametrize("case", LINKED)
def test_a_link_is_as_private_as_what_it_leads_to(kept, case):
    path, text, line, private = LINKED[case]
    vault = kept(private=("diary/",))
    notes = vault.put({path: text})
    (vault.root / "link.md").symlink_to(vault.root / path)
    (section,) = notes.chosen(ContextItem("selection", "link.md", line, line, text=text.splitlines()[line - 1]))
    assert section.private is private


def test_a_program_that_no_rule_leaves_out_may_be_asked_about(kept):
    notes = kept().put({"b.md": "x"})
    (section,) = notes.chosen(ContextItem("selection", "tool.py", 3, 3, text="print()\n"))
    assert (section.private, section.title, section.line) == (False, "tool", 3)


def test_what_is_public_is_not_taken_for_private(kept):
    notes = kept().put({"a.md": f"# One\n\nplain enough words\n\n# Two #private\n\n- \n\n{SECRET}"})
    assert told(notes.chosen(ContextItem("note", "a.md"))) == ["a.md:1-4 One", "a.md:5-9 Two x"]
    (section,) = notes.chosen(ContextItem("selection", "a.md", 3, 3, text="plain enough words\n- \n"))
    assert not section.private


SHOWN = {
    "Markdown": (
        "a/n.md",
        "![x](../p/one.png) ![](two%20b.jpg)\n[three](/p/three.gif)\n",
        ["p/one.png", "a/two b.jpg", "p/three.gif"],
    ),
    "a wikilink": ("a/n.md", "![[four.webp]] [[one.png|x]]\n", ["p/four.webp", "p/one.png"]),
    "Org": ("a/n.org", "* h\n[[file:../p/one.png]] [[./two b.jpg]]\n", ["p/one.png", "a/two b.jpg"]),
    "shown twice": ("n.md", "![](p/one.png) ![](p/one.png)\n", ["p/one.png"]),
    "an attachment of an entry": (
        "n.org",
        "* h\n:PROPERTIES:\n:ID: 1234-abcd\n:END:\n[[attachment:att.png]]\n",
        ["data/12/34-abcd/att.png", "data/12/34-abcd/more.png"],
    ),
    "a folder of attachments": ("n.org", "* h\n:PROPERTIES:\n:DIR: p\n:END:\n", ["p/four.webp", "p/one.png", "p/three.gif"]),
    "no picture": ("n.md", "![](p/text.png) ![](p/gone.png) [x](p/doc.pdf) ![](https://far.example/x.png)\n", []),
    "an ignored picture": ("n.md", "![](secret/x.png) ![](p/.hidden.png)\n", []),
    "outside": ("n.md", "![](../outside.png) ![](/../outside.png) ![](link.png) ![](linked/outside.png)\n", []),
    "too large": ("n.md", "![](large.png)\n", []),
    "a folder or pipe": ("n.md", "![](p) ![](pipe.png)\n", []),
    "a link inside the vault": ("n.md", "![](inside.png)\n", ["inside.png"]),
    "a link to what is ignored": ("n.md", "![](sly.png)\n", []),
}  # fmt: skip


@pytest.mark.parametrize("case", SHOWN)
def test_pictures_of_a_note(kept, tmp_path, case):
    path, text, expected = SHOWN[case]
    vault = kept(ignore=("secret/",))
    (tmp_path / "outside.png").write_bytes(PNG)
    files = {
        "p/one.png": PNG,
        "a/two b.jpg": JPEG,
        "p/three.gif": GIF,
        "p/four.webp": WEBP,
        "p/text.png": b"text",
        "p/doc.pdf": b"%PDF",
    }
    files |= {"secret/x.png": PNG, "p/.hidden.png": PNG, "data/12/34-abcd/att.png": PNG, "data/12/34-abcd/more.png": PNG}
    notes = vault.put({**files, "large.png": PNG + b"x" * MOST_IMAGE_BYTES, path: text})
    (vault.root / "link.png").symlink_to(tmp_path / "outside.png")
    (vault.root / "linked").symlink_to(tmp_path)
    (vault.root / "inside.png").symlink_to(vault.root / "p/one.png")
    (vault.root / "sly.png").symlink_to(vault.root / "secret/x.png")
    os.mkfifo(vault.root / "pipe.png")
    found = notes.images(path)
    assert [each for each, _ in found] == expected
    kinds = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
    assert all(image.media_type == kinds[each.rpartition(".")[2]] and not image.private for each, image in found)


def test_at_most_so_many_pictures(kept):
    files = {f"{number:02}.png": PNG for number in range(MAX_PICTURES + 3)}
    notes = kept().put({**files, "n.md": " ".join(f"![]({name})" for name in files)})
    assert [each for each, _ in notes.images("n.md")] == list(files)[:MAX_PICTURES]


@pytest.mark.parametrize(
    ("path", "text", "picture"),
    [
        ("n.md", "---\nprivate: true\n---\n![](a.png)\n", "a.png"),
        ("n.md", "plain ![](a.png)\n# x #private\n![](a.png)\n", "a.png"),
        ("n.org", "* x :private:\n** y\n[[file:a.png]]\n", "a.png"),
        ("n.md", "![](diary/a.png)\n", "diary/a.png"),
        ("diary/n.md", "![](../a.png)\n", "a.png"),
        ("n.org", "* x :private:\n:PROPERTIES:\n:DIR: b\n:END:\n", "b/a.png"),
        ("n.md", "![](open.png)\n", "open.png"),
    ],
)
def test_a_picture_is_private_by_its_note_or_its_place(kept, path, text, picture):
    vault = kept(private=("diary/",))
    notes = vault.put({"a.png": PNG, "diary/a.png": PNG, "b/a.png": PNG, path: text})
    (vault.root / "open.png").symlink_to(vault.root / "diary/a.png")
    assert [(each, image.private) for each, image in notes.images(path)] == [(picture, True)]


def test_what_a_note_is_tied_to(kept):
    vault = kept()
    notes = vault.put(
        {
            "tea.md": "# Tea\n[[water]] [[gone]] [[day#Monday]] [[water]]\n",
            "water.md": "# Water\nfor [[tea]]\n",
            "day.md": "# Sunday\n\n# Monday\n\ndrank [[tea]] and [[tea]]\nmore [[tea]]\n",
            "coffee.md": "# Coffee\n",
        }
    )
    vault.near = [
        SearchHit(path, Span(0, 1, 1, 2), path, "", (), "words", (), 0.5, "markdown", (), None, 1)
        for path in ("water.md", "coffee.md")
    ]
    assert notes.neighbours("./tea.md") == Neighbours(
        "Tea",
        "tea.md",
        incoming=(
            Neighbour("day.md", "Sunday", 5, 5, "drank [[tea]] and [[tea]]"),
            Neighbour("day.md", "Sunday", 6, 6, "more [[tea]]"),
            Neighbour("water.md", "Water", 2, 2, "for [[tea]]"),
        ),
        outgoing=(Neighbour("water.md", "Water", 1, 1), Neighbour("day.md", "Sunday", 3, 3)),
        broken=("gone",),
        related=(Neighbour("coffee.md", "coffee.md", 1, 2, "words"),),
    )
    with pytest.raises(UsageError, match=r"there is no note gone\.md"):
        notes.neighbours("gone.md")


def test_what_is_told_of_a_note_that_is_private_in_part_is_private(kept):
    notes = kept().put({"a.md": "# Open\n\n# Two #private\n\nto [[b]]\n", "b.md": "# B\n"})
    found = notes.neighbours("a.md")
    assert found.line == 3 and notes.section(found.path, found.line).private


@pytest.mark.parametrize(
    ("note", "text", "picture", "private"),
    [
        ("n.md", "![](a%20b.png)\n", "a b.png", False),
        ("n.md", "# x #private\n![](a%20b.png)\n", "a b.png", True),
        ("n.md", "![](a%20b.png)\n# x #private\n", "a b.png", False),
        ("diary/n.md", "![[a b.png]]\n", "a b.png", True),
        ("n.md", "x\n", "diary/c.png", True),
        ("n.org", "* x :private:\n:PROPERTIES:\n:DIR: d\n:END:\n", "d/c.png", True),
        ("n.org", "* x\n:PROPERTIES:\n:DIR: d\n:END:\n", "d/c.png", False),
    ],
)
def test_a_picture_that_is_asked_for_by_its_path(kept, note, text, picture, private):
    vault = kept(private=("diary/",))
    notes = vault.put({"a b.png": PNG, "diary/c.png": PNG, "d/c.png": PNG, note: text})
    assert notes.picture(picture).private == private


@pytest.mark.parametrize("path", ["gone.png", "../out.png", "link.png", "text.png", "secret.png", "", ".", "a\0.png"])
def test_what_is_no_picture_to_show_is_told(kept, tmp_path, path):
    vault = kept(ignore=("secret.png",))
    notes = vault.put({"text.png": b"text", "secret.png": PNG})
    (tmp_path / "out.png").write_bytes(PNG)
    (vault.root / "link.png").symlink_to(tmp_path / "out.png")
    with pytest.raises(UsageError):
        notes.picture(path)
