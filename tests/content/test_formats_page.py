"""docs/formats.md says of each format what the registry does."""

from __future__ import annotations

import re
from pathlib import Path

import tomlkit

from khoj_ls.content.registry import default_registry, parse_file

SAMPLES = Path(__file__).parent / "samples"
PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
ROW = re.compile(r"\| `([a-z-]+)` \| ((?:`\.[\w.+-]+` ?)+)\| (?:`([^`]+)`)? ?\| ([^|]+) \| ([^|]+) \|")


def rows():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    found = [ROW.fullmatch(line) for line in lines]
    assert all(found), [line for line, row in zip(lines, found, strict=True) if not row]
    return {row[1]: (frozenset(re.findall(r"`([^`]+)`", row[2])), row[3] or "", row[5].strip()) for row in found if row}


def test_the_page_tells_the_types_extensions_and_extras_of_the_registry():
    registry = default_registry(third_party=False)
    said = rows()
    served: dict[str, set[str]] = {}
    for extension in registry.extensions():
        served.setdefault(registry.for_path(f"a{extension}").name, set()).add(extension)
    needed = {each.name: each.needs.extra if getattr(each, "needs", None) else "" for each in registry.processors()}
    assert {name: extensions for name, (extensions, _, _) in said.items()} == served
    assert {name: extra for name, (_, extra, _) in said.items()} == needed
    assert list(said) == sorted(said)


SAID = {"page": "page", "slide": "slide", "chapter": "chapter", "paragraph": "paragraphs", "piece": "columns"}


def leads(entry):
    """Where a hit in an entry leads, in the words of the page."""
    place = entry.place
    if place is None or place.lined:
        return f"lines, {SAID.get(place.kind, place.kind)}" if place else "lines"
    return "sheet and rows" if place.kind == "rows" else SAID.get(place.kind) or place.name.rstrip(" 0123456789")


def test_the_page_tells_where_hits_lead():
    registry = default_registry(third_party=False)
    found: dict[str, set[str]] = {}
    for sample in SAMPLES.iterdir():
        processor = registry.for_path(sample.name)
        if processor and processor.name != "image":  # reading one takes seconds: the tests of OCR have it
            entries = parse_file(registry, sample.read_bytes(), sample.name).entries
            found.setdefault(processor.name, set()).update(map(leads, entries))
    assert found == {name: set(where.split("; ")) for name, (_, _, where) in rows().items() if name != "image"}


def test_every_extra_named_there_can_be_installed():
    project = tomlkit.parse((PAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")).unwrap()
    extras = project["project"]["optional-dependencies"]
    named = {extra for _, extra, _ in rows().values() if extra}
    assert {f"khoj-ls[{name}]" for name in extras} >= named
    assert set(extras["all"]) >= named
