"""What holds for any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khoj_ls.content.markdown import MarkdownProcessor
from khoj_ls.core.text import decode_source, text_lines
from khoj_ls.core.types import Link, ParsedFile

UUID = "64cd3f8e-1111-4222-8333-0123456789ab"
FRAGMENTS = st.sampled_from(
    [
        *"#*_`[]()<>!|~=%$&:^-+\\\"'{}.\n\r\t ",
        *"\n\n\n\n",
        "\r\n", "# ", "## ", "### a #tag\n", "===\n", "---\n", "+++\n", "```\n", "~~~\n", "    ", "> ", "> > ", "- ",
        "* ", "1. ", "- [ ] ", "[[a]]", "![[b|c]]", "[[d#e\\|f]]", "[x](y)", "![i](j.png 't')", "[r]", "[r]: z.md\n",
        "[^1]", "[^1]: n\n", "<b>", "</b>", "<div>\n", "<!--", "-->", "<script>", "<a id='q'>", "<https://u.v>",
        "https://w.x/y_(z)", "%%", "%%\n", "&amp;", "&#10;", "&NewLine;", "#tag", "#[[t u]]", "#a/b", " ^id\n",
        "key:: v\n", "id:: " + UUID + "\n", f"(({UUID}))", "[k:: v]", "{{embed [[p]]}}", "$x$", "$$\n",
        "|a|b|\n|-|-|\n", "|c|d|\n", "title: t\n", "tags: [a]\n", ":LOGBOOK:\n", ":END:\n", "2024-05-01",
        "📅 2024-05-02", "é", "日本", "🎉", "\u2028", "\ufeff", "\x0c", "word ", "private",
    ]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS, max_size=60).map("".join)
MARKUP = {
    "wikilink": (("[[", "["), ("]]", ")")),
    "embed": (("![[", "{{"), ("]]", "}}")),
    "markdown": (("[", "!["), (")", "]")),
    "block": (("((", "["), ("))", ")")),
    "footnote": (("[^",), ("]",)),
    "tag": (("#",), ("",)),
    "url": (("<", "http", "ftp"), ("",)),
}


def check(data: bytes, parsed: ParsedFile) -> None:
    text, _ = decode_source(data)
    source, lines = text.encode(), text_lines(text)
    at_byte, at_line = 0, 1
    for index, entry in enumerate(parsed.entries):
        span = entry.span
        if index == 0:
            assert not "".join(lines[: span.line - 1]).strip()
        else:
            assert (span.start, span.line) == (at_byte, at_line)
        at_byte, at_line = span.end, span.end_line + 1
        assert source[span.start : span.end].decode() == entry.raw == "".join(lines[span.line - 1 : span.end_line])
        count = len(text_lines(entry.raw))
        assert entry.text.count("\n") == count - (not entry.raw.endswith(("\n", "\r")))
        assert "\r" not in entry.text
        assert list(entry.blocks) == sorted(set(entry.blocks))
        assert all(0 <= block < count for block in entry.blocks)
        above = parsed.entries[entry.parent] if entry.parent is not None else None
        assert entry.outline == ((*above.outline, above.heading) if above else ())
        assert above is None or (entry.parent < index and above.level < entry.level)  # type: ignore[operator]  # an entry with one above has a parent
        assert (entry.level == 0) <= (index == 0 and entry.heading == "" and above is None)
        assert "\n" not in entry.heading
        for place in (*(link.span for link in entry.links), *(anchor.span for anchor in entry.anchors)):
            assert span.start <= place.start <= place.end <= span.end
            assert span.line <= place.line <= place.end_line <= span.end_line
        for link in entry.links:
            check_link(source, link)
    if parsed.entries:
        assert (at_byte, at_line) == (len(source), len(lines) + 1)
    else:
        assert not text.strip()


def check_link(source: bytes, link: Link) -> None:
    written = source[link.span.start : link.span.end].decode()
    begins, ends = MARKUP[link.kind]
    assert written.startswith(begins) and written.endswith(ends), (link, written)
    if link.kind in ("url", "tag"):
        assert link.target in written


@settings(max_examples=1500, deadline=None)
@given(TEXTS)
def test_any_markdown(text: str) -> None:
    data = text.encode()
    check(data, MarkdownProcessor().parse(data, "note.md"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    check(data, MarkdownProcessor().parse(data, "note.md"))


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.sampled_from(["\r\n", "\r"]))
def test_line_breaks_decide_nothing(text: str, line_break: str) -> None:
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    one = MarkdownProcessor().parse(unix.encode(), "note.md")
    other = MarkdownProcessor().parse(unix.replace("\n", line_break).encode(), "note.md")
    assert [(entry.heading, entry.text, entry.tags) for entry in one.entries] == [
        (entry.heading, entry.text, entry.tags) for entry in other.entries
    ]
    assert [[(link.kind, link.target, link.span.line) for link in entry.links] for entry in one.entries] == [
        [(link.kind, link.target, link.span.line) for link in entry.links] for entry in other.entries
    ]


N = 20_000


@pytest.mark.parametrize(
    "text",
    [
        "# heading\n" * N,
        "line of text\n" * 5 * N,
        ">" * N + " deep\n",
        "".join("  " * depth + "- item\n" for depth in range(300)),
        "- " * N + "x",
        "[" * N,
        "[[" * N + "]]" * N,
        "![" * N + "](x)" * N,
        "[a](" * N,
        "[a](b" * N,
        "[a](<b" * N,
        '[a](b "' * N,
        "[a][" * N + "\n\n[a]: b.md",
        "[a]: b.md\n" * N,
        "*a " * N + "a* " * N,
        "**a *b " * N,
        "_" * N + " " + "*" * N,
        "`" * N + " " + "` `` ``` " * (N // 10),
        "".join("`" * (count % 200) + " " for count in range(N // 10)),
        "<!--" * N,
        "<!--\n" * N,
        "<script>\n" * N,
        "<a " * N,
        "<div>" * N,
        "$" * N + "a$ " * N,
        "%% " * N,
        "%%\n" * N + "%%",
        "&a" * N,
        "\\" * N,
        "#" * N,
        "#a" * N,
        "((" * N,
        "http://" * N,
        "http://a" + "(" * N + ")" * N,
        "a ^" * N,
        "a:: b " * N,
        "key:: value\n" * N,
        " " * N + "x" + " " * N + "y",
        "# " + " " * N + "#" + " " * N + "x\n",
        "---\n" + "a: b\n" * N + "---\n",
        "---\n" + "a " + " " * N + "\nb: [\n---\n",
        "---\nx: " + "[" * N + "\n---\n",
        "---\n" + "- " * N + "\n---\n",
        "---\na: &a0 [x]\n" + "".join(f"b{at}: &a{at + 1} [*a{at}, *a{at}]\n" for at in range(30)) + "---\n",
        "|a" * N + "|\n" + "|-" * N + "|\n",
        "[^a]: " * 2000,
        "🎉[[a]]" * N,
        "![![" * (N // 4) + "](x)" * (N // 2),
        "2024-05-01 " * N,
        "- TODO x\n  :LOGBOOK:\n" * N,
        "[x](a.b#" + "a.b#" * N,
    ],
    ids=lambda text: f"{text[:12]!r}x{len(text)}",
)  # fmt: skip
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    """There is no clock here but the suite's patience: what is quadratic in Python takes minutes on these sizes."""
    data = text.encode()
    check(data, MarkdownProcessor().parse(data, "note.md"))
