"""The package that DOCX, PPTX and XLSX files are: parts, what they refer to, and what is said of the whole document.

ECMA-376, Part 2 (Open Packaging Conventions).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from khoj_ls.content.archive import Archive
from khoj_ls.content.refusal import Refused
from khoj_ls.content.said_dates import said_date
from khoj_ls.content.xml_tree import Node, records
from khoj_ls.core.types import DateKind, EntryDate

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PROGRAMS_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel) - .*|powerpoint presentation|word document|document ?\d*|presentation ?\d*|"
    r"book ?\d*|untitled.*|präsentation ?\d*|powerpoint-präsentation|présentation powerpoint|presentación de powerpoint)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Relation:
    """What one part says of another."""

    id: str
    kind: str
    """The last word of its type: `slide`, `styles`, `core-properties`."""
    target: str
    """Name of a part; empty for what is outside the file."""


@dataclass(frozen=True)
class About:
    """What a document says of itself."""

    title: str | None = None
    tags: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    dates: tuple[EntryDate, ...] = ()


@dataclass(frozen=True)
class Package:
    """An opened package."""

    archive: Archive
    main: str
    """Name of the part that the others hang on."""
    about: About = field(default_factory=About)

    def relations(self, part: str) -> tuple[Relation, ...]:
        """What `part` refers to, in order."""
        return tuple(_relations(self.archive, part))

    def target(self, part: str, kind: str) -> str | None:
        """The first part of this kind that `part` refers to and that is there."""
        return next((each.target for each in self.relations(part) if each.kind == kind and each.target in self.archive), None)

    def records(self, part: str, *names: str) -> Iterator[Node]:
        """The outermost elements called one of `names` in `part`. Raises Refused."""
        return records(self.archive.read(part), part, frozenset(names))


def open_package(data: bytes, *kinds: str) -> Package:
    """The package in `data`, whose main part must be named like one of `kinds` (`document`). Raises Refused."""
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise Refused("encrypted", "the file is encrypted: save it without a password")
        raise Refused("legacy-format", "the file is in the format of Office 97 in spite of its name: save it in today's format")
    archive = Archive(data)
    for relation in _relations(archive, ""):
        if relation.kind == "officeDocument" and relation.target in archive:
            about = next((each.target for each in _relations(archive, "") if each.kind == "core-properties"), "")
            return Package(archive, relation.target, read_about(archive, about) if about in archive else About())
    main = next((name for name in archive.names() if posixpath.basename(name) in {f"{kind}.xml" for kind in kinds}), None)
    if main is None:
        raise Refused("damaged", f"the file is damaged, or no {' or '.join(kinds)} of an office program")
    return Package(archive, main)


def _relations(archive: Archive, part: str) -> Iterator[Relation]:
    folder, name = posixpath.split(part)
    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    if rels not in archive:
        return
    for node in records(archive.read(rels), rels, ("Relationship",)):
        kind = node.get("Type").rpartition("/")[2]
        target = ""
        if node.get("TargetMode") != "External":
            written = unquote(node.get("Target"))
            target = written.lstrip("/") if written.startswith("/") else posixpath.normpath(posixpath.join(folder, written))
        yield Relation(node.get("Id"), kind, target)


def read_about(archive: Archive, part: str) -> About:
    """What the core properties (ECMA-376, Part 2, 11) say; nothing where they cannot be read."""
    said: dict[str, str] = {}
    try:
        for root in records(archive.read(part), part, ("coreProperties",)):
            said.update({node.name: " ".join(node.text().split()) for node in root.nodes()})
    except Refused as refusal:
        if refusal.code != "damaged":
            raise
        return About()
    return about(said, {"created": "created", "modified": "updated"})


def about(said: dict[str, str], dates: dict[str, DateKind]) -> About:
    """A document's word on itself, from what its properties say by their names; `dates` are those that are dates."""
    title = said.get("title", "")
    names = {"creator": "author", "lastModifiedBy": "last author", "subject": "subject", "description": "description"}
    names |= {"category": "category", "language": "language"}
    return About(
        None if not title or _PROGRAMS_TITLE.fullmatch(title) else title,
        tuple(dict.fromkeys(word.strip() for word in re.split("[,;]", said.get("keywords", "")) if word.strip())),
        tuple((told, said[name]) for name, told in names.items() if said.get(name)),
        tuple(EntryDate(kind, day) for name, kind in dates.items() if (day := said_date(said.get(name, "")))),
    )
