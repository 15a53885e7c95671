"""What a note is compared by: what it says itself, not what a template put into it."""

from __future__ import annotations

_FOOTER = (
    "\n## Getting help\n\nAsk in the forum before you open a ticket, name your version, attach the log, be kind to the people "
    "who answer, close the ticket once it is solved, and thank them; see also the code of conduct.\n"
)


def test_sections_that_many_notes_share_do_not_count(vault):
    vault.put("one.md", "# One\n\nautomobile kitten bicycle router\n" + _FOOTER)
    vault.put("other.md", "# Other\n\nvehicle feline bike wifi\n")
    for number, word in enumerate(("anvil", "harbour", "violin", "quarry", "lantern")):
        vault.put(f"{word}.md", f"# {word}\n\n{word} number {number}\n" + _FOOTER)
    assert vault.related("one.md").hits[0].path == "other.md"


def test_a_note_of_nothing_but_shared_sections_is_still_compared(vault):
    for word in ("anvil", "harbour", "violin", "quarry", "lantern"):
        vault.put(f"{word}.md", _FOOTER.lstrip())
    assert len(vault.related("anvil.md").hits) == 4


def test_the_place_that_was_asked_about_is_compared_even_if_it_is_shared(vault):
    vault.put("plum.md", "# Plum\n\nplum jam boiled with sugar\n" + _FOOTER)
    vault.put("jam.md", "# Jam\n\nboiled fruit with sugar, plum or pear\n")
    for word in ("anvil", "harbour", "violin", "quarry"):
        vault.put(f"{word}.md", f"# {word}\n\n{word}\n" + _FOOTER)
    hits = vault.related("plum.md", line=7).hits
    assert {hit.heading for hit in hits[:4]} == {"Getting help"}
