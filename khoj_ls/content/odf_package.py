"""OpenDocument files: their content, their styles, and what is said of the whole document.

OpenDocument 1.3, Part 2 (packages) and Part 3, 4.3 (metadata).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from khoj_ls.content.archive import Archive
from khoj_ls.content.office_package import About, about
from khoj_ls.content.refusal import Refused
from khoj_ls.content.xml_tree import Node, records

_CONTENT, _STYLES, _META, _MANIFEST = "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"
_MOST_PARENTS = 30


@dataclass(frozen=True)
class OdfFile:
    """An opened file."""

    content: bytes
    styles: dict[str, Node]
    """Styles and kinds of lists, by their names."""
    about: About

    def records(self, names: Collection[str], marks: Collection[str] = ()) -> Iterator[Node]:
        """The outermost elements of the content called one of `names`; see `xml_tree.records`. Raises Refused."""
        return records(self.content, _CONTENT, names, marks)

    def says(self, style: str, name: str, attribute: str) -> str:
        """What the element `name` in a style says, or in those it is made from; empty where none does."""
        for _ in range(_MOST_PARENTS):  # styles may be made from each other
            node = self.styles.get(style)
            if node is None:
                return ""
            found = node.find(name)
            if found and found.get(attribute):
                return found.get(attribute)
            style = node.get("parent-style-name")
        return ""

    def is_a(self, style: str, name: str) -> bool:
        """Whether a style is the one called `name`, or made from it."""
        for _ in range(_MOST_PARENTS):
            if style == name:
                return True
            if style not in self.styles:
                return False
            style = self.styles[style].get("parent-style-name")
        return False


def open_odf(data: bytes) -> OdfFile:
    """The file in `data`. Raises Refused."""
    archive = Archive(data)
    if _MANIFEST in archive and any(records(archive.read(_MANIFEST), _MANIFEST, ("encryption-data",))):
        raise Refused("encrypted", "the file is encrypted: save it without a password")
    if _CONTENT not in archive:
        raise Refused("damaged", f"the file is damaged, or no OpenDocument file: it has no {_CONTENT}")
    content = archive.read(_CONTENT)
    styles: dict[str, Node] = {}
    # What the content says of a style goes before.
    for part, xml in ((_STYLES, archive.read(_STYLES) if _STYLES in archive else b"<none/>"), (_CONTENT, content)):
        for node in records(xml, part, ("style", "list-style"), ("body",)):
            if node.name == "body":
                break
            styles[node.get("name")] = node
    return OdfFile(content, styles, _about(archive))


def _about(archive: Archive) -> About:
    if _META not in archive:
        return About()
    said: dict[str, str] = {}
    for root in records(archive.read(_META), _META, ("meta",)):
        for node in root.nodes():
            text = " ".join(node.text().split())
            said[node.name] = f"{said['keyword']}; {text}" if node.name == "keyword" and "keyword" in said else text
    last = said.get("creator", "")
    said |= {"keywords": said.get("keyword", ""), "creator": said.get("initial-creator") or last, "lastModifiedBy": last}
    return about(said, {"creation-date": "created", "date": "updated"})
