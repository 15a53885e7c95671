from __future__ import annotations

import pytest

from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.core.types import Anchor, Link, ParsedFile


def read(text: str) -> ParsedFile:
    return MarkdownProcessor().parse(text.encode(), "note.md")


def links(text: str) -> list[tuple[str, str, str | None]]:
    """Kind, target, label of all links, each checked to stand where it says."""
    source = text.encode()
    found: list[Link] = [link for entry in read(text).entries for link in entry.links]
    for link in found:
        written = source[link.span.start : link.span.end].decode()
        assert written == written.strip()
        assert source.count(b"\n", 0, link.span.start) + 1 == link.span.line
        assert link.target.split("\n")[0] in written or not written.startswith(("[[", "<", "http"))
    return [(link.kind, link.target, link.label) for link in found]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("*a* **b** ***c*** _d_ __e__", "a b c d e"),
        ("~~gone~~ ==marked==", "gone marked"),
        ("snake_case and 2 * 3 * 4", "snake_case and 2 * 3 * 4"),
        ("un*frigging*believable", "unfriggingbelievable"),
        ("**bold *nested* bold**", "bold nested bold"),
        ("*open and **both", "*open and **both"),
        ("**中文。**后面", "中文。后面"),
        ("`code *stays* [[so]]` and ``a`b``", "code *stays* [[so]] and a`b"),
        ("`open [l](x)", "`open l"),
        (r"\*no\* \[\[no\]\] \#no", "*no* [[no]] #no"),
        ("a\\\nb", "a\nb"),
        ("&lt;tag&gt; &copy; &#65; &unknown; &#10;", "<tag> © A &unknown;"),
        ("x <b>bold</b><br>y <!-- gone --> z", "x bold y  z"),
        ('see <img src="x.png" alt="the &quot;front&quot;\ndoor"> now', 'see the "front" door\n now'),
        ("Vec<String> and <your-name> and cd <path>", "Vec<String> and <your-name> and cd <path>"),
        ("a < b and c > d", "a < b and c > d"),
        ("[l](x.md) ![alt](i.png) ![pic|300](i.png)", "l alt pic"),
        ("[[note]] [[note|alias]] [[note#head]] [[note#^b1]] [[#head]]", "note alias note > head note head"),
        ("![[pic.png|300x200]] ![[note|shown]]", "pic.png shown"),
        ("<https://a.b/c> and <me@a.b>", "https://a.b/c and me@a.b"),
        ("see %%hidden%% this, not 50%% or 60%%", "see  this, not 50%% or 60%%"),
        ("$a_i * b_i$ and $5 *or* 6", "$a_i * b_i$ and $5 or 6"),
        ("text[^1] and [^a-z]\n\n[^1]: The *note*\n", "text and [^a-z]\n\n The note\n"),
        ("((64cd3f8e-1111-4222-8333-0123456789ab)) x", " x"),
        ("{{embed [[Page]]}}", "Page"),
        ("> quoted *text*\n> > deeper\nlazy", "  quoted text\n    deeper\nlazy"),
        ("> [!warning]- Mind *this*\n> body", "              Mind this\n  body"),
        ("| a | b |\n| - | - |\n| *x* | [l](u) |", "| a | b |\n\n| x | l |"),
        ("a\n\n***\n\nb", "a\n\n\n\nb"),
        ("- *item*\n  - ### Nested *head*\n", "- item\n  - Nested head\n"),
        (
            "<div>\n<p>Shown &amp; <b>bold</b></p>\n<!-- not\nthis --><script>\nx()\n</script>\n</div>",
            "\nShown & bold\n\n\n\n\n",
        ),
        ("<!-- never closed\n\nstill there\n", "<!-- never closed\n\nstill there\n"),
        ("[a\nb](u\n'title') c", "a\nb\n c"),
        ("line\u2028separator", "line\u2028separator"),
    ],
)
def test_text_as_a_reader_sees_it(source: str, shown: str) -> None:
    (entry,) = read(source).entries
    assert [line.rstrip() for line in entry.text.split("\n")] == [line.rstrip() for line in shown.split("\n")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[[note]]", [("wikilink", "note", None)]),
        ("[[note|an alias]]", [("wikilink", "note", "an alias")]),
        ("[[dir/note#Heading 2|x]]", [("wikilink", "dir/note#Heading 2", "x")]),
        ("[[note#^b1]] [[#here]]", [("wikilink", "note#^b1", None), ("wikilink", "#here", None)]),
        ("![[pic.png]]", [("embed", "pic.png", None)]),
        ("| [[note\\|alias]] | x |\n|--|--|\n", [("wikilink", "note", "alias")]),
        ("[[[odd]]]", [("wikilink", "odd", None)]),
        ("[[]] [[ ]] [[open", []),
        ("((64cd3f8e-1111-4222-8333-0123456789ab))", [("block", "64cd3f8e-1111-4222-8333-0123456789ab", None)]),
        ("[l](((64cd3f8e-1111-4222-8333-0123456789ab)))", [("block", "64cd3f8e-1111-4222-8333-0123456789ab", "l")]),
        ("[l]([[Page]])", [("wikilink", "Page", "l")]),
        ("{{embed [[Page]]}}", [("embed", "Page", None)]),
        ("((not a uuid))", []),
        ("[text](a/b.md#c)", [("markdown", "a/b.md#c", "text")]),
        (
            "[t](<a b.md> \"title\") [u](c.md 'x') [v](d.md (y))",
            [("markdown", "a b.md", "t"), ("markdown", "c.md", "u"), ("markdown", "d.md", "v")],
        ),
        ("[t](a(b)c.md) [u](a\\)b)", [("markdown", "a(b)c.md", "t"), ("markdown", "a\\)b", "u")]),
        ("[t](my file.pdf) [t](no link here)", [("markdown", "my file.pdf", "t")]),
        ("[*a* `b`](u) [](v)", [("markdown", "u", "a b"), ("markdown", "v", None)]),
        ("![alt](pic.png)", [("markdown", "pic.png", "alt")]),
        ("[![alt](pic.png)](page.md)", [("markdown", "page.md", "alt"), ("markdown", "pic.png", "alt")]),
        ("[a [b](in) c](out)", [("markdown", "in", "b")]),
        ("[a](b [c](d)", [("markdown", "d", "c")]),
        ("[over\ntwo](lines)", [("markdown", "lines", "over two")]),
        (
            "[full][Ref] [ref][] [REF] [none]\n\n[ref]: <the target.md> 'T'\n",
            [("markdown", "the target.md", "full"), ("markdown", "the target.md", "ref"), ("markdown", "the target.md", "REF")],
        ),
        ("[a]\n\n[a]: one.md\n[a]: two.md\n", [("markdown", "one.md", "a")]),
        ('[[wiki]]\n\n[wiki]: wiki.md "Wiki"\n', [("wikilink", "wiki", None)]),
        ("[Bob]: yes\n[Bob]\n", []),
        ("<https://a.b/c>", [("url", "https://a.b/c", None)]),
        (
            "see https://a.b/c_d_(e)#f, (https://x.y/z). *http://q.r*",
            [("url", "https://a.b/c_d_(e)#f", None), ("url", "https://x.y/z", None), ("url", "http://q.r", None)],
        ),
        ("[https://a.b](https://a.b)", [("markdown", "https://a.b", "https://a.b")]),
        ("std::vector xhttp://no", []),
        ("`[[no]]` ``[no](x)`` `https://no.no`", []),
        ("\\[[yes]] \\[no](x)", []),
        (
            "text[^n] [^n]\n\n[^n]: The note [[a]].\n",
            [("footnote", "n", None), ("footnote", "n", None), ("wikilink", "a", None)],
        ),
        ("<div>\n[[no]] [no](x)\n</div>", []),
        ("$[x](y)$ $x$", [("markdown", "y", "x")]),
        ("🎉ü [[ñ|名]] x", [("wikilink", "ñ", "名")]),
        ('---\nup: "[[Parent]]"\n---\n[[child]]', [("wikilink", "Parent", None), ("wikilink", "child", None)]),
        ("> a [[q]]\n> [l\n> m](n)", [("wikilink", "q", None), ("markdown", "n", "l m")]),
    ],
)
def test_links(source: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert links(source) == expected


def test_a_dendron_note_writes_the_label_first_and_tags_with_dots() -> None:
    head = "---\nid: abc\ntitle: T\ndesc: ''\nupdated: 1659454790286\ncreated: 1658846396286\n---\n"
    assert links(head + "[[Some Label|dev.api.note#part]] #role.gardener.") == [
        ("wikilink", "dev.api.note#part", "Some Label"),
        ("tag", "role.gardener", None),
    ]
    assert read(head + "[[Some Label|dev.api.note]]").entries[0].text.splitlines()[-1] == "Some Label"


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        ("#one and #two/three (#four)", ("one", "two/three", "four")),
        ("#über #日本語 #naïve-tag_2 #🎉party #हिन्दी", ("über", "日本語", "naïve-tag_2", "🎉party", "हिन्दी")),
        ("#123 #1984 #y1984 #1/2", ("y1984",)),
        ("#fff is a tag to Obsidian", ("fff",)),
        ("a#b C# x/#y &#35; [x](#anchor) <#z> http://a.b/#c", ()),
        ("`#no` \\#no ## #", ()),
        ("#end. #comma, #colon: #slash/ #paren)", ("end", "comma", "colon", "slash", "paren")),
        ("#[[multi word]] #one", ("multi word", "one")),
        ("中文（#标签）。#另一个。", ("标签", "另一个")),
        ("[#42](x) [#issue](y) [#A] prio", ()),
        ("#dup #dup", ("dup",)),
    ],
)
def test_tags(source: str, tags: tuple[str, ...]) -> None:
    (entry,) = read(source).entries
    assert entry.tags == tags


def anchors(text: str) -> list[tuple[str, str, str]]:
    source = text.encode()
    found: list[Anchor] = [anchor for entry in read(text).entries for anchor in entry.anchors]
    return [(anchor.kind, anchor.name, source[anchor.span.start : anchor.span.end].decode()) for anchor in found]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# One *two* #tag\n", [("heading", "One two #tag", "# One *two* #tag")]),
        ("Set\n---\n", [("heading", "Set", "Set\n---")]),
        ("## H {#my-id .class}\n", [("custom_id", "my-id", "## H {#my-id .class}"), ("heading", "H", "## H {#my-id .class}")]),
        ("- # Nested\n", [("heading", "Nested", "- # Nested")]),
        ("para\nmore ^p1\n", [("block", "p1", "para\nmore ^p1")]),
        ("- item ^i-1\n- other\n", [("block", "i-1", "- item ^i-1")]),
        ("|a|\n|-|\n|b|\n\n^table\n", [("block", "table", "|a|\n|-|\n|b|")]),
        ("> quote\n\n^q\n", [("block", "q", "> quote")]),
        ("para\n\n## H\n\n^h\n", [("block", "h", "## H"), ("heading", "H", "## H")]),
        ("^alone\n", [("block", "alone", "^alone")]),
        ("2^8 and x^y\n", []),
        ("`x ^no`\n", []),
        (
            '<a name="top"></a>x <span id=s>y</span>',
            [("custom_id", "top", '<a name="top">'), ("custom_id", "s", "<span id=s>")],
        ),
        ('<div id="d">\n', [("custom_id", "d", '<div id="d">')]),
        ("x[^n]\n\n[^n]: a\n    b\n", [("footnote", "n", "[^n]: a\n    b")]),
        ("- block\n  id:: 64cd-1\n", [("id", "64cd-1", "- block\n  id:: 64cd-1")]),
        ("---\nid: abc\n---\nx\n", [("id", "abc", "---\nid: abc\n---\n")]),
    ],
)
def test_anchors(source: str, expected: list[tuple[str, str, str]]) -> None:
    assert anchors(source) == expected


def test_a_block_id_is_no_text() -> None:
    (entry,) = read("para ^p1\n\n- item ^i1\n").entries
    assert entry.text == "para\n\n- item\n"
