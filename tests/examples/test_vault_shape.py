"""The demo vault holds together: size, links, claims. Read with plain Python, so that no parser of ours vouches for itself."""

from __future__ import annotations

import datetime
import json
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
VAULT = EXAMPLES / "vault"
FILES = tuple(sorted(p for p in VAULT.rglob("*") if p.suffix in {".md", ".org", ".txt"}))
NOTES = tuple(p for p in FILES if p.relative_to(VAULT).parts[0] != "drafts")

FENCES = re.compile(r"^```.*?^```$|^#\+begin_(\w+).*?^#\+end_\1$", re.M | re.S | re.I)
CODE_SPAN = re.compile(r"`[^`\n]+`")
WIKILINK = re.compile(r"\[\[([^\]|#]*)(?:#([^\]|]+))?(?:\|[^\]]*)?\]\]")
MARKDOWN_LINK = re.compile(r"(?<!\])\[[^\]\[]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
BLOCK_REFERENCE = re.compile(r"\(\(([0-9a-f-]{36})\)\)")
ORG_FILE_LINK = re.compile(r"\[\[file:([^\]]+?)(?:::([^\]]+))?\](?:\[[^\]]*\])?\]")
ORG_ID_LINK = re.compile(r"\[\[id:([^\]]+)\](?:\[[^\]]*\])?\]")
ORG_ID = re.compile(r"^\s*:ID:\s+(\S+)$", re.M)
ALIASES = re.compile(r"^aliases: \[(.*)\]$", re.M)
TODO_SET = re.compile(r"^#\+TODO: (.*)$", re.M)
DATED_WEEKDAY = re.compile(r"[<\[](\d{4}-\d\d-\d\d) (Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class Link(NamedTuple):
    target: str
    """As written, without its anchor."""
    anchor: str | None
    file: Path | None
    """The file it leads to, None when there is none."""


def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    return CODE_SPAN.sub("", FENCES.sub("", source(path)))


def headings(path: Path) -> set[str]:
    text = FENCES.sub("", source(path))
    if path.suffix == ".md":
        return {
            h.strip()
            for h in re.findall(r"^(?:\s*- )?#{1,6} (.+)$", text, re.M) + re.findall(r"^(.+)\n(?:=+|-{4,})$", text, re.M)
        }
    words = {"TODO", "DONE"} | {w.split("(")[0] for line in TODO_SET.findall(text) for w in line.split()}
    state = "|".join(re.escape(word) for word in words - {"|"})
    heading = re.compile(rf"^\*+ (?:(?:{state}) )?(?:\[#.\] )?(?:COMMENT )?(.+?)(?:\s+:[\w@:]+:)?$", re.M)
    return set(heading.findall(text))


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def names() -> dict[str, Path]:
    """What a wikilink may say: the stem of a note or one of its aliases."""
    found = {path.stem: path for path in NOTES}
    for path in NOTES:
        found |= {alias.strip(): path for line in ALIASES.findall(source(path)) for alias in line.split(",")}
    return found


def relative(path: Path, target: str) -> Path | None:
    file = (path.parent / unquote(target)).resolve() if target else path
    return file if file.is_file() else None


def links(path: Path) -> list[Link]:
    text = prose(path)
    if path.suffix == ".org":
        return [Link(t, a or None, relative(path, t)) for t, a in ORG_FILE_LINK.findall(text)]
    known = names()
    found = [Link(t, a or None, known.get(t) if t else path) for t, a in WIKILINK.findall(text)]
    return found + [Link(t, a or None, relative(path, t)) for t, a in MARKDOWN_LINK.findall(text) if "://" not in t]


def anchor_exists(link: Link) -> bool:
    assert link.file is not None and link.anchor is not None
    text = source(link.file)
    if link.anchor.startswith("^"):
        return re.search(rf" \^{re.escape(link.anchor[1:])}$", text, re.M) is not None
    if link.anchor.startswith("#"):
        return re.search(rf"^\s*:CUSTOM_ID: {re.escape(link.anchor[1:])}$", text, re.M) is not None
    known = headings(link.file)
    return link.anchor.removeprefix("*") in known or link.anchor in {slug(h) for h in known}


def name_of(path: Path) -> str:
    return path.relative_to(VAULT).as_posix()


def test_the_vault_has_about_forty_notes_of_three_formats() -> None:
    assert 35 <= len(NOTES) <= 45
    assert {path.suffix for path in NOTES} == {".md", ".org", ".txt"}


def test_names_that_wikilinks_use_are_unique() -> None:
    stems = [path.stem.lower() for path in NOTES]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_links_resolve(path: Path) -> None:
    written = links(path)
    assert {link.target for link in written if link.file is None} == set()
    assert [link for link in written if link.file and link.anchor and not anchor_exists(link)] == []
    assert all(link.file is None or link.file.is_relative_to(VAULT) for link in written)


def test_links_cross_the_formats_both_ways() -> None:
    crossings = {(path.suffix, link.file.suffix) for path in NOTES for link in links(path) if link.file}
    assert {(".org", ".md"), (".md", ".org"), (".md", ".txt")} <= crossings


def test_org_ids_are_unique_and_every_referenced_one_exists() -> None:
    defined = [i for path in NOTES for i in ORG_ID.findall(source(path))]
    referenced = {i for path in NOTES for i in ORG_ID_LINK.findall(prose(path))}
    assert len(defined) == len(set(defined))
    assert referenced and referenced <= set(defined)


def test_outliner_block_references_exist() -> None:
    defined = {i for path in NOTES for i in re.findall(r"^\s*id:: (\S+)$", source(path), re.M)}
    referenced = {i for path in NOTES for i in BLOCK_REFERENCE.findall(prose(path))}
    assert referenced and referenced <= defined


def test_weekdays_in_org_timestamps_are_right() -> None:
    stamps = [(name_of(path), *stamp) for path in NOTES for stamp in DATED_WEEKDAY.findall(source(path))]
    wrong = [stamp for stamp in stamps if WEEKDAYS[datetime.date.fromisoformat(stamp[1]).weekday()] != stamp[2]]
    assert stamps and wrong == []


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("homelab/evenings-without-wifi.md", r"^title: .+\ntags: .+\naliases: .+\ndate: \d{4}"),
        ("homelab/network.md", r"^Machines\n-{4,}\n\n\| "),
        ("homelab/backups.md", r"^```sh\n(?:.*\n)*?# "),
        ("homelab/dns.org", r"^#\+begin_src conf\n(?:.*\n)*?\s+# "),
        ("homelab/dns.org", r"<<outage>>"),
        ("health/blood-results.md", r"^private: true$"),
        ("kitchen/sourdough.md", r" \^hydration$"),
        ("notes/zero-inflation.org", r"^:ROAM_ALIASES: .+\n:ROAM_REFS: "),
        ("pages/Espresso.md", r"^machine:: .+\n"),
        ("projects.org", r"^#\+TODO: .*WAIT\(w@/!\)"),
        ("projects.org", r"^#\+FILETAGS: "),
        ("projects.org", r"^\*+ \w+ \[#A\] .+\nDEADLINE: "),
        ("projects.org", r"^\* COMMENT "),
        ("projects.org", r"^\* .+:ARCHIVE:$"),
        (".khojignore", r"^drafts/$"),
        (".khoj.toml", r"^\[index\]\nignore = \[\]$"),
    ],
)
def test_features_that_the_readme_and_other_tests_count_on(file: str, pattern: str) -> None:
    assert re.search(pattern, source(VAULT / file), re.M)


@pytest.mark.parametrize(
    ("file", "script"),
    [
        ("kitchen/外婆的饺子.md", "CJK UNIFIED IDEOGRAPH"),
        ("travel/nihongo.md", "HIRAGANA"),
        ("daily/2024-06-09.md", "ZERO WIDTH JOINER"),
        ("balkon.org", "LATIN SMALL LETTER U WITH DIAERESIS"),
    ],
)
def test_scripts_beyond_ascii(file: str, script: str) -> None:
    assert any(script in unicodedata.name(character, "") for character in source(VAULT / file))


def test_one_draft_is_there_to_be_ignored() -> None:
    assert [name_of(path) for path in FILES if path not in NOTES] == ["drafts/discussion-v0.md"]


def test_queries_name_notes_and_half_of_them_ask_by_meaning() -> None:
    queries = json.loads((EXAMPLES / "queries.json").read_text(encoding="utf-8"))
    assert [q for q in queries if set(q) != {"query", "file", "mode"} or VAULT / q["file"] not in NOTES] == []
    assert [q["mode"] for q in queries] == ["meaning"] * 6 + ["words"] * 6


def test_the_first_query_can_only_be_answered_by_meaning() -> None:
    answer = source(VAULT / "homelab/evenings-without-wifi.md")
    assert re.findall(r"\bfix\w*", answer, re.I) == []
    assert [name_of(path) for path in FILES if "router" in source(path).lower()] == []
