"""Read a link as written into what it names: which note, and which place in it.

What is read here depends on nothing but the link and the type of the note it stands in; which note answers to the name is
`resolve`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote

from khoj_ls.core.types import LinkKind
from khoj_ls.links.text import fold, name_key

Scheme = Literal[
    "here", "name", "path", "absolute", "id", "fuzzy", "title", "denote", "attachment", "citation", "tag", "external"
]
"""How a target names its note.

`here` the note itself; `name` a wikilink's name; `path` a path, relative or from the vault's root; `absolute` one of
the file system (`/home/..`, `~/..`); `id` an id of a note,
heading or block; `fuzzy` Org's `[[text]]`, a place in the note itself or a note's name; `title` a title or alias (`roam:`);
`denote` an identifier in a file's name; `attachment` a file of the entry's own folder; `citation` a key that a note may be
about; `tag` a tag, which is a page in Logseq; `external` anything that leads out of the vault.
"""

FragmentKind = Literal["heading", "block", "custom_id", "line", "search", "regex", "code", "footnote"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?!:)")
_LINES = re.compile(r"L(\d+)(?:C\d+)?(?:-L?(\d+)(?:C\d+)?)?")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_DENDRON = re.compile(r"dendron://([^/]+)/(.*)", re.DOTALL)
_ORG_FILE = re.compile(r"(?:file|file\+sys|file\+emacs|docview|pdf):", re.IGNORECASE)
_OFFSET = re.compile(r",\d+:?$")


@dataclass(frozen=True)
class Fragment:
    """A place in a note, as a link names it."""

    kind: FragmentKind
    text: str
    """The heading, id, search text or line number, decoded; of nested headings (`#a#b`) the innermost."""
    above: tuple[str, ...] = ()
    """Headings it must stand under, outermost first."""


@dataclass(frozen=True)
class LinkTarget:
    """What a link names, not yet looked up."""

    scheme: Scheme
    note: str = ""
    """Name, path (decoded), id or key; empty for the note itself."""
    fragment: Fragment | None = None
    vault: str = ""
    """The vault that a Dendron link between vaults names."""
    whole: str = ""
    """Name and fragment together as written: of `[[C# notes]]` the `#` may belong to the name. Empty behind Org's `file:`."""

    @property
    def key(self) -> str | None:
        """Under which the target's note is looked up in the table of names; None when there is nothing to look up."""
        if self.scheme in ("here", "external", "attachment") or not self.note:
            return None
        if self.scheme in ("id", "citation", "denote"):
            return fold(self.note)
        return name_key(self.note) or None


EXTERNAL = LinkTarget("external")


def read_target(kind: LinkKind, target: str, source_type: str) -> LinkTarget:
    """What a link of `kind` in a note of type `source_type` names."""
    text = target.strip()
    if kind == "url" or not text:
        return LinkTarget("external", text) if text else LinkTarget("here")
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(text)
    if source_type == "org" and kind != "embed" and kind != "wikilink":
        return _org(text)
    return _markdown(text) if kind in ("markdown", "file") else _wiki(text)


def _markdown(text: str) -> LinkTarget:
    """A Markdown destination: a URL reference (RFC 3986) relative to the note, its path percent-encoded."""
    text = _ESCAPED.sub(r"\1", text)
    if dendron := _DENDRON.match(text):
        return _wiki(text) if dendron[2] else EXTERNAL
    local = text.lower().startswith("file:///")
    if not local and (text.startswith("//") or _leads_out(text)):
        return LinkTarget("external", text)
    path, mark, fragment = text.partition("#")
    path = unquote(path.partition("?")[0]).replace("\\", "/")  # backslashes as hands on Windows write them
    if local or path.startswith("~/"):
        return LinkTarget("absolute", path[7:] if local else path, markdown_fragment(unquote(fragment)) if mark else None)
    place = markdown_fragment(unquote(fragment)) if mark else None
    if not path:
        return LinkTarget("here", "", place)
    return LinkTarget("path", path, place, whole=unquote(text))


def _leads_out(text: str) -> bool:
    scheme = _SCHEME.match(text)
    return scheme is not None and len(scheme[1]) > 1


def markdown_fragment(text: str) -> Fragment | None:
    """What stands behind the `#` of a Markdown link or wikilink: `^block`, `L12`, or a heading, nested ones joined by `#`."""
    # Dendron's note references name a range, `#start,1:#end`; where it begins is where the link leads.
    text = _OFFSET.sub("", text.partition(":#")[0].strip())
    if text.startswith("^"):
        return Fragment("block", text[1:].strip())
    if lines := _LINES.fullmatch(text):
        return Fragment("line", lines[1])
    parts = [part.strip() for part in text.split("#") if part.strip()]
    if not parts or parts == ["*"]:
        return None
    if parts[-1].startswith("^"):  # Obsidian: note#heading#^block
        return Fragment("block", parts[-1][1:])
    return Fragment("heading", parts[-1], tuple(parts[:-1]))


def _wiki(text: str) -> LinkTarget:
    if dendron := _DENDRON.match(text):
        inner = _wiki(dendron[2])
        return LinkTarget(inner.scheme, inner.note, inner.fragment, dendron[1], inner.whole)
    if _leads_out(text) and text.partition(":")[2].startswith("//"):
        return LinkTarget("external", text)
    note, mark, fragment = text.partition("#")
    note = note.strip()
    if not note:
        return LinkTarget("here", "", markdown_fragment(fragment))
    if not mark and note.startswith("^"):
        return LinkTarget("here", "", Fragment("block", note[1:]))
    place = markdown_fragment(fragment) if mark else None
    return LinkTarget("name", note, place, whole=text)


def _org(text: str) -> LinkTarget:
    """A target of Org's `[[target][label]]`, angle or plain link (Org manual, "External Links" and "Search Options")."""
    if local := _ORG_FILE.match(text):
        return replace(_org_path(text[local.end() :]), whole="")
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "id":
        name, _, place = rest.partition("::")
        return LinkTarget("id", name.strip(), org_fragment(place) if place else None)
    if colon and scheme == "roam":
        return LinkTarget("title", rest.strip(), whole=rest.strip())
    if colon and scheme == "denote":
        name, _, place = rest.partition("::")
        return LinkTarget("denote", name.strip(), org_fragment(place) if place else None)
    if colon and scheme == "attachment":
        name, _, place = rest.partition("::")
        return LinkTarget("attachment", name, org_fragment(place) if place else None)
    if text.startswith(("./", "../", "/", "~")):
        return _org_path(text)
    if text.startswith(("*", "#")) or (text.startswith("(") and text.endswith(")")):
        return LinkTarget("here", "", org_fragment(text))
    if _leads_out(text) and not _leads_nowhere(text):
        return LinkTarget("external", text)
    return LinkTarget("fuzzy", text, Fragment("search", text), whole=text)


def _leads_nowhere(text: str) -> bool:
    """Whether what looks like a scheme is the beginning of a sentence: `Note: read this`."""
    return text.partition(":")[2][:1] in ("", " ")


def _org_path(text: str) -> LinkTarget:
    path, mark, place = text.partition("::")
    fragment = org_fragment(place) if mark and place else None
    if not mark and ".org#" in path:  # as Markdown and Logseq write it
        path, _, place = path.partition("#")
        fragment = Fragment("heading", place)
    path = unquote(path) if re.search(r"%[0-9a-fA-F]{2}", path) else path
    if path.startswith(("/", "~")):
        return LinkTarget("absolute", "/" + path.lstrip("/") if path.startswith("/") else path, fragment)
    return LinkTarget("path", path, fragment, whole=path) if path else LinkTarget("here", "", fragment)


def org_fragment(text: str) -> Fragment:
    """Org's search option, behind the `::`: a line number, `*heading`, `#custom-id`, `(coderef)`, `/regexp/` or text."""
    text = text.strip()
    if text.isdigit():
        return Fragment("line", text)
    if text.startswith("*"):
        return Fragment("heading", text.lstrip("*").strip())
    if text.startswith("#"):
        return Fragment("custom_id", text[1:])
    if len(text) > 2 and text.startswith("(") and text.endswith(")"):
        return Fragment("code", text[1:-1])
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        return Fragment("regex", text[1:-1])
    return Fragment("search", text)


_READERS: MappingProxyType[str, Callable[[str], LinkTarget]] = MappingProxyType(
    {
        "block": lambda text: LinkTarget("id", text.strip("()")),
        "footnote": lambda text: LinkTarget("here", "", Fragment("footnote", text)),
        "citation": lambda text: LinkTarget("citation", text if text.startswith("@") else "@" + text),
        "tag": lambda text: LinkTarget("tag", text, whole=text),
        "heading": lambda text: LinkTarget("here", "", org_fragment(text)),
    }
)
