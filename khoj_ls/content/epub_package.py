"""The package of an EPUB book: what it is called, which documents it consists of, and how its contents name them.

EPUB 2 and 3 (OPF 2.0, EPUB Packages 3.3). Read with a scanner that knows no entities, so that none are expanded.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

from khoj_ls.content.archive import Archive
from khoj_ls.content.charsets import decode_declared
from khoj_ls.content.markup_scan import scan
from khoj_ls.content.refusal import Refused

_CONTAINER = "META-INF/container.xml"
_PACKAGE_TYPE = "application/oebps-package+xml"
_TEXT_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"})
_HARMLESS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
"""Ways of obfuscating fonts: the text stays readable."""
_SCHEMES = MappingProxyType(
    {"META-INF/license.lcpl": "Readium LCP", "META-INF/sinf.xml": "Apple FairPlay", "META-INF/rights.xml": "Adobe ADEPT"}
)


@dataclass(frozen=True)
class Label:
    """What the table of contents calls a document."""

    text: str
    depth: int
    """From 1."""


@dataclass(frozen=True)
class Package:
    """A book as its package describes it."""

    fields: dict[str, tuple[str, ...]]
    """Dublin Core: `title`, `creator`, `date`, `language`, ..."""
    documents: tuple[str, ...]
    """Names in the archive of its texts, in reading order, without the table of contents."""
    labels: dict[str, Label]
    """The first label of each document that the table of contents leads to."""


def read_package(archive: Archive) -> Package:
    """The package of the book in `archive`. Raises Refused where it is no book, or is protected."""
    where = _package_name(archive)
    reader = _PackageReader(posixpath.dirname(where))
    reader.read(decode_declared(archive.read(where))[0])
    documents = tuple(dict.fromkeys(reader.items[each][0] for each in reader.spine if _is_text(reader.items.get(each))))
    _refuse_protected(archive, documents)
    contents = [name for name, _, properties in reader.items.values() if "nav" in properties.split()]
    labels: dict[str, Label] = {}
    for name in contents or ([reader.items[reader.toc][0]] if reader.toc in reader.items else []):
        if name in archive:
            labels = _labels(decode_declared(archive.read(name))[0], posixpath.dirname(name))
    fields = {name: tuple(dict.fromkeys(values)) for name, values in reader.fields.items()}
    return Package(fields, tuple(each for each in documents if each not in contents), labels)


def _package_name(archive: Archive) -> str:
    if _CONTAINER not in archive:
        raise Refused("damaged", f"the file is damaged or no EPUB book: it has no {_CONTAINER}")
    for token in scan(decode_declared(archive.read(_CONTAINER))[0], xml=True):
        if token.kind == "open" and token.name == "rootfile":
            attributes = token.attributes
            if attributes.get("media-type", _PACKAGE_TYPE) == _PACKAGE_TYPE and attributes.get("full-path"):
                return attributes["full-path"]
    raise Refused("damaged", "the file is damaged: its container names no package")


def _is_text(item: tuple[str, str, str] | None) -> bool:
    return item is not None and item[1] in _TEXT_TYPES


class _PackageReader:
    """Reads the metadata, the manifest and the spine of a package document."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.fields: defaultdict[str, list[str]] = defaultdict(list)
        self.items: dict[str, tuple[str, str, str]] = {}
        """Name in the archive, media type and properties, by id."""
        self.spine: list[str] = []
        self.toc = ""

    def read(self, source: str) -> None:
        """Read the package document."""
        inside, said, in_metadata = "", "", False
        for token in scan(source, xml=True):
            if token.kind == "text":
                said += token.shown if inside else ""
            elif token.kind == "close":
                if inside and token.name == inside:
                    self._field(inside, said)
                    inside = ""
                in_metadata = in_metadata and token.name != "metadata"
            elif token.name == "metadata":
                in_metadata = True
            elif in_metadata:
                inside, said = (token.name if token.name != "meta" else ""), ""
                self._meta(token.attributes if token.name == "meta" else {})
            else:
                self._item(token.name, token.attributes)

    def _field(self, name: str, said: str) -> None:
        if text := " ".join(said.split()):
            self.fields[name].append(text)

    def _meta(self, attributes: dict[str, str]) -> None:
        if attributes.get("name", "").startswith("calibre:series"):
            self._field(attributes["name"].removeprefix("calibre:"), attributes.get("content", ""))

    def _item(self, name: str, attributes: dict[str, str]) -> None:
        if name == "item" and attributes.get("id"):
            where = inside_archive(self.folder, attributes.get("href", ""))
            self.items[attributes["id"]] = (where, attributes.get("media-type", ""), attributes.get("properties", ""))
        elif name == "itemref":
            self.spine.append(attributes.get("idref", ""))
        elif name == "spine":
            self.toc = attributes.get("toc", "")


def inside_archive(folder: str, href: str) -> str:
    """The name in the archive that `href` in a document of `folder` means."""
    return posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0]))).lstrip("/")


def _labels(source: str, folder: str) -> dict[str, Label]:
    """The first label of each document, of a navigation document (EPUB 3) or an NCX (EPUB 2)."""
    found: dict[str, Label] = {}
    for href, text, depth in _contents(source):
        name = inside_archive(folder, href)
        if text and name not in found:
            found[name] = Label(text, depth)
    return found


def _contents(source: str) -> Iterator[tuple[str, str, int]]:
    """Address, label and depth of each line of a table of contents."""
    depth, href, said = 0, "", ""
    for token in scan(source, xml=True):
        opens, closes = token.kind == "open", token.kind == "close"
        if token.kind == "text":
            said += token.shown
        elif token.name in ("ol", "navpoint"):
            depth += 1 if opens else -1
            said = ""
        elif token.name == "nav" and closes:  # the first is the table of contents; those behind list pages and landmarks
            return
        elif token.name == "a" and opens:
            href, said = token.attributes.get("href", ""), ""
        elif token.name == "a" and closes:
            yield href, " ".join(said.split()), max(1, depth)
        elif token.name == "content" and opens:
            yield token.attributes.get("src", ""), " ".join(said.split()), max(1, depth)


def _refuse_protected(archive: Archive, documents: tuple[str, ...]) -> None:
    """Raise Refused where the text of the book is encrypted."""
    if "META-INF/encryption.xml" not in archive:
        return
    algorithm, encrypted = "", set()
    for token in scan(decode_declared(archive.read("META-INF/encryption.xml"))[0], xml=True):
        if token.kind == "open" and token.name == "encryptionmethod":
            algorithm = token.attributes.get("algorithm", "")
        elif token.kind == "open" and token.name == "cipherreference" and algorithm not in _HARMLESS:
            encrypted.add(inside_archive("", token.attributes.get("uri", "")))
    if encrypted.intersection(documents):
        scheme = next((scheme for name, scheme in _SCHEMES.items() if name in archive), "unknown")
        raise Refused("encrypted", f"the book is protected against copying (DRM: {scheme}): only its own reader opens it")
