"""What is wrong in a vault of every kind of link: exactly what is broken, and nothing in the vault that is shipped."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.content.registry import default_registry
from khoj_ls.graph.diagnose import CODES, diagnose, suspects
from khoj_ls.graph.files import VaultFiles, read_vault_conventions
from khoj_ls.graph.open_note import NoteReader

EXAMPLES = Path(__file__).parents[2] / "examples" / "vault"
TREE = "---\ntitle: Plum Tree\naliases: [Prune]\n---\n# Fruit\nText ^b1\n## Harvest\n<a id='spot'></a>\n[^1]: note\n"
JOURNAL = (
    ":PROPERTIES:\n:ID: j-1\n:END:\n#+title: Journal\n* Monday\n:PROPERTIES:\n:CUSTOM_ID: mon\n:ID: m-1\n:END:\n"
    "<<target>> (ref:code)\n"
)
# What is broken stands between ⟦ and ⟧, which are taken out; all else is right.
MARKED = {
    "garden/tree.md": TREE,
    "journal.org": JOURNAL,
    "one.md": (
        "🦉 [[tree]] [[Prune]] [[plum tree#Harvest]] [[tree#^b1]] ![[tree]] [a](garden/tree.md#harvest) [b](journal.org)\n"
        "<https://example.org> #tag [[#Own]] `[[nowhere]]` [@citation] [c](https://x.y/z#a) [d](mailto:a@b.c)\n\n"
        "## Own\n"
        "日本 ⟦[[nowhere]]⟧ and ⟦[[nowhere|a label]]⟧, ⟦![[no picture.png]]⟧ [[tree#⟦No heading⟧]] [[tree#⟦^b9⟧]]\n"
        "⟦[x](gone.md)⟧ [y](garden/tree.md#⟦none⟧) ⟦[z](<gone too.md>)⟧ [[#⟦Not own⟧]] ⟦![p](no.png)⟧ [s](#⟦no-slug⟧)\n"
        "⟦[r][ref]⟧ [ok][fine]\n\n[ref]: gone.md\n[fine]: garden/tree.md\n\n```\n[[nowhere]]\n```\n"
    ),
    "sub/two.org": (
        "* 🦉 [[file:../journal.org::*Monday]] [[file:../journal.org::#mon]] [[id:j-1]] [[id:m-1][x]] [[Plum Tree]]\n"
        "=[[file:none.org]]= [[https://a.b]] [[*Own]] [[file:../journal.org::target]]\n"
        "⟦[[file:none.org]]⟧ ⟦[[id:no-such-id][label]]⟧ [[file:../journal.org::⟦*None⟧]] [[file:../journal.org::⟦#none⟧]]\n"
        "⟦[[nowhere at all]]⟧ ⟦[[*Not own]]⟧ ⟦[[./none.org][x]]⟧ ⟦[[attachment:none.pdf]]⟧\n"
        "* Own\n#+begin_src org\n[[file:none.org]]\n#+end_src\n"
    ),
    "three.md": "⟦[[Twice]]⟧\n",
    "a/twice.md": "x\n",
    "b/twice.md": "x\n",
}  # fmt: skip


def unmarked(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without its marks, and the bytes between them."""
    text, spans = "", []
    for number, piece in enumerate(marked.replace("⟧", "⟦").split("⟦")):
        if number % 2:
            spans.append((len(text.encode()), len((text + piece).encode())))
        text += piece
    return text, spans


def note_of(path: str, text: str):
    return NoteReader(default_registry()).read(path, text)


def findings(graph, path: str, text: str, codes=CODES[:4]):
    return graph.ask(lambda network: diagnose(network, note_of(path, text), codes))


def test_exactly_the_broken_links_are_found(graph, tmp_path):
    graph.files = VaultFiles(tmp_path)
    texts = {path: unmarked(marked) for path, marked in MARKED.items()}
    for path, (text, _) in texts.items():
        graph.put(path, text)
    count = 0
    for path, (text, spans) in texts.items():
        found = findings(graph, path, text)
        assert [(each.start, each.end) for each in found] == spans, path
        count += len(found)
    assert count == 21  # twenty broken, one ambiguous
    assert graph.ask(lambda network: suspects(network, CODES[:4])) == ["one.md", "sub/two.org", "three.md"]


def test_nothing_is_wrong_in_the_vault_that_is_shipped(graph):
    paths = [path for path in sorted(EXAMPLES.rglob("*")) if path.suffix in (".md", ".org", ".txt")]
    graph.conventions, graph.files = read_vault_conventions(EXAMPLES)[0], VaultFiles(EXAMPLES)
    texts = {path.relative_to(EXAMPLES).as_posix(): path.read_text() for path in paths}
    for path, text in texts.items():
        graph.put(path, text)
    wrong = [(path, each.message) for path, text in texts.items() for each in findings(graph, path, text)]
    assert wrong == []


def test_codes_and_messages_say_what_is_wrong(graph):
    graph.put("tree.md", TREE)
    graph.put("a/x.md", "")
    graph.put("b/x.md", "")
    found = findings(graph, "n.md", "[[none]] [[tree#none]] [[x]]")
    assert [(each.code, each.message) for each in found] == [
        ("broken-link", "No note is called none"),
        ("broken-anchor", "Tree.md has no heading 'none'"),
        ("ambiguous-link", "Several notes answer to this name: a/x.md, b/x.md"),
    ]
    assert [each.path for each in found[2].related] == ["a/x.md", "b/x.md"]


def test_an_id_given_twice_is_found_wherever_it_is(graph):
    one = "* A\n:PROPERTIES:\n:ID: same\n:END:\n"
    two = "* é B\n:PROPERTIES:\n:ID: same\n:CUSTOM_ID: c\n:END:\n* C\n:PROPERTIES:\n:CUSTOM_ID: c\n:END:\n"
    graph.put("one.org", one)
    graph.put("two.org", two)
    found = findings(graph, "two.org", two)
    data = two.encode()
    assert [(each.code, data[each.start : each.end].decode()) for each in found] == [
        ("duplicate-id", "same"), ("duplicate-id", "c"), ("duplicate-id", "c"),
    ]  # fmt: skip
    assert [(each.path, each.span.line) for each in found[0].related] == [("one.org", 1)]
    block = "- x\n  id:: 634fb104-f332-4743-904a-4827ee754bfc\n- y\n  id:: 634fb104-f332-4743-904a-4827ee754bfc\n"
    assert len(findings(graph, "logseq.md", block)) == 2
    assert len(findings(graph, "obsidian.md", "one ^a\n\ntwo ^a\n")) == 2
    assert findings(graph, "one.org", one.replace("same", "other")) == []


def test_what_comes_goes_or_is_renamed_counts_at_once(graph):
    text = "[[plum]]"
    assert [each.code for each in findings(graph, "n.md", text)] == ["broken-link"]
    graph.put("plum.md", "x")
    assert findings(graph, "n.md", text) == []
    graph.move("plum.md", "pear.md")
    assert [each.code for each in findings(graph, "n.md", text)] == ["broken-link"]
    graph.put("pear.md", "---\naliases: [plum]\n---\n")
    assert findings(graph, "n.md", text) == []
    graph.remove("pear.md")
    assert [each.code for each in findings(graph, "n.md", text)] == ["broken-link"]


def test_an_orphan_is_told_on_demand(graph):
    graph.put("alone.md", "# Ä\r\ntext\r\n")
    assert findings(graph, "alone.md", "# Ä\r\ntext\r\n") == []
    [orphan] = findings(graph, "alone.md", "# Ä\r\ntext\r\n", ["orphan"])
    assert (orphan.code, orphan.start, orphan.end) == ("orphan", 0, len("# Ä".encode()))
    graph.put("other.md", "[[alone]]")
    assert findings(graph, "alone.md", "# Ä\r\n", ["orphan"]) == []
