"""reStructuredText and what is read of it."""

from __future__ import annotations

import pytest
from told_entries import anchors_of, links_of, read, told

NOTE = """.. _top:

=========
Big Title
=========

:author: Ada
:date: 2024-03-01
:tags: a, b

Intro with **bold**, *em*, ``co*de*`` and `a link
<https://example.org/x>`_ and :doc:`other/page`. See :ref:`deep <top>`.

.. note:: Mind the gap

   More note text::

      literal block

.. image:: pic.png
   :alt: A picture

Section
-------

.. code-block:: python
   :linenos:

   print("x")

.. comment here
   hidden

Sub
~~~
+-----+-----+
| a   | b   |
+-----+-----+

.. toctree::
   :maxdepth: 2

   intro
   Usage <usage/index>

.. [1] A footnote.
.. _ext: https://ext.example

Other
-----
End, see https://example.org/y.
"""


def test_a_document_is_read_as_its_reader_does():
    parsed = read(NOTE, "a.rst")
    assert told(parsed) == [
        "1-22 # Big Title : Intro with bold, em, co*de* and a link / and other/page. See deep. / Mind the gap"
        " / More note text: / literal block / A picture",
        '23-33 ## Section : print("x")',
        "34-48 ### Sub : a | b / [1] A footnote.",
        "49-51 ## Other : End, see https://example.org/y.",
    ]
    assert (parsed.title, parsed.tags, parsed.properties) == ("Big Title", ("a", "b"), (("author", "Ada"),))
    assert [(date.kind, date.start) for date in parsed.dates] == [("note", "2024-03-01")]
    assert [entry.outline for entry in parsed.entries] == [(), ("Big Title",), ("Big Title", "Section"), ("Big Title",)]


def test_links_and_anchors_lie_in_lines_of_the_file():
    parsed = read(NOTE, "a.rst")
    assert links_of(parsed) == [
        ("url", "https://example.org/x", "a link", 11),
        ("file", "other/page", None, 12),
        ("file", "#top", "deep", 12),
        ("file", "pic.png", None, 20),
        ("file", "intro", None, 43),
        ("file", "usage/index", None, 44),
        ("url", "https://ext.example", "ext", 47),
        ("url", "https://example.org/y", None, 51),
    ]
    assert anchors_of(parsed) == [("top", "Big Title", 1), ("1", "Sub", 46)]


@pytest.mark.parametrize(
    ("source", "entries"),
    [
        ("One\n===\n\nTwo\n===\n", ["1-3 # One :", "4-5 # Two :"]),
        ("text\nno title\n---\n", ["1-3 : text / no title"]),
        ("text\n\n----\n\nmore\n", ["1-5 : text / more"]),
        ("Título\n======\nx\n", ["1-3 # Título : x"]),
        ("*One* `two`_\n-----------\n", ["1-2 # One two :"]),
        ("a\n\n  B\n  --\n", ["1-4 : a / B"]),
        ("a_b c__ http://x.y/a_b_\n", ["1-1 : a_b c http://x.y/a_b_"]),
        ("| verse\n| more\n", ["1-2 : verse / more"]),
        (":ref:`gone` :class:`~a.B` |sub| \\*x\n", ["1-1 : gone a.B sub *x"]),
        (".. raw:: html\n\n   <b>\n\nx\n", ["1-5 : x"]),
        (".. function:: f(x)\n\n   Doubles x.\n", ["1-3 : f(x) / Doubles x."]),
        (".. title: Nikola\n.. tags: a, private\n\nx\n", ["1-4 : x"]),
        ("", []),
    ],
)
def test_titles_and_markup(source, entries):
    assert told(read(source, "a.rst")) == entries


def test_fields_and_comments_at_the_top_say_what_the_note_is():
    parsed = read(".. title: Nikola\n.. tags: a, private\n\nx\n", "a.rst")
    assert (parsed.title, parsed.tags, parsed.private, parsed.entries[0].private) == ("Nikola", ("a", "private"), True, True)
