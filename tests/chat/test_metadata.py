"""What is taken for metadata of a note, and what is not."""

from __future__ import annotations

import pytest

from khoj_ls.chat.prompt.metadata import metadata, without_metadata


@pytest.mark.parametrize(
    ("text", "line", "rest"),
    [
        ("---\ntitle: x\n---\n\nHello\n", 1, "Hello\n"),
        ("---\r\ntitle: x\r\n---\r\nHello\r\n", 1, "Hello\r\n"),
        ('+++\ntitle = "x"\n+++\nHello', 1, "Hello"),
        ("---\ntitle: x\n---\n", 7, "---\ntitle: x\n---\n"),
        ("---\nTwo rules around this.\n---\n", 1, "---\nTwo rules around this.\n---\n"),
        ("---\ntitle: never closed\n", 1, "---\ntitle: never closed\n"),
        (":PROPERTIES:\n:ID: 1\n:END:\n#+title: x\n#+filetags: :a:\n\nHello", 1, "Hello"),
        ("* H\n:PROPERTIES:\n:ID: 1\n:END:\nHello\n", 9, "* H\nHello\n"),
        ("* H\n:PROPERTIES:\nno property, no end\n", 9, "* H\n:PROPERTIES:\nno property, no end\n"),
        ("#+begin_src c\n#+x: y\n", 1, "#+begin_src c\n#+x: y\n"),
        ("Hello\n#+caption: x\n", 1, "Hello\n#+caption: x\n"),
        ("title:: x\ntags:: y\n\n- Hello\n", 1, "- Hello\n"),
        ("std::vector is fast\n", 1, "std::vector is fast\n"),
        ("---\ntitle: x\n---", 1, ""),
        ("", 1, ""),
    ],
)
def test_what_is_left_without_metadata(text, line, rest):
    assert without_metadata(text, line) == rest
    assert all(text[end - 1] in "\r\n" or end == len(text) for _, end in metadata(text, line))
