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


def test_a_heading_that_is_everywhere_leads_nowhere_by_itself(vault):
    vault.put("many.md", "\n".join(f"## Remarks\n\nstone {at}" for at in range(5200)), embedded=False)
    vault.put("one.md", "# One\n\n## Remarks\n\nautomobile\n")
    vault.put("other.md", "# Other\n\n## Remarks\n\nvehicle\n")
    hits = vault.related("one.md", line=3).hits
    assert [hit.path for hit in hits] == ["other.md"]
    assert hits[0].sources.keys() == {"dense"}


def test_of_a_long_note_every_section_is_read(vault):
    filler = "".join(f"## Part {at}\n\n{'lorem ipsum ' * 400}\n" for at in range(30))
    vault.put("long.md", filler + "## Last\n\nxylophone xylophone\n", embedded=False)
    vault.put("other.md", "# Other\n\nxylophone\n", embedded=False)
    vault.put("third.md", "# Third\n\nmarimba\n", embedded=False)
    assert [hit.path for hit in vault.related("long.md").hits] == ["other.md"]


def test_every_note_is_one_hit_with_its_nearest_passage(vault):
    vault.put("one.md", "# One\n\nautomobile\n")
    vault.put("two.md", "# Two\n\nmarimba\n\n## Cars\n\nvehicle automobile\n\n## Cats\n\nkitten\n")
    vault.put("three.md", "# Three\n\n## Vehicles\n\nvehicle\n", whole=True)
    hits = {hit.path: hit for hit in vault.related("one.md").hits}
    assert hits.keys() == {"two.md", "three.md"}
    assert hits["two.md"].heading == "Cars"
    assert all("dense" in hit.sources for hit in hits.values())


def test_the_note_itself_is_never_a_hit(vault):
    for name in ("one", "two", "three"):
        vault.put(f"{name}.md", f"# {name}\n\n" + "".join(f"## {at}\n\nautomobile vehicle {at}\n" for at in range(40)))
    assert {hit.path for hit in vault.related("one.md", limit=100).hits} == {"two.md", "three.md"}
