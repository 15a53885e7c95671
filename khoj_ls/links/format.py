"""Write a link as the vault's tool would: to a note, or to a place in it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from khoj_ls.links.conventions import Conventions
from khoj_ls.links.encode import encode
from khoj_ls.links.names import page_name
from khoj_ls.links.text import fold, slug, split_suffix

_NOT_IN_WIKILINK = re.compile(r"[\[\]|\n]")
_NOT_IN_FRAGMENT = re.compile(r"[#^|\\\[\]]|%%")


@dataclass(frozen=True)
class Address:
    """What a link leads to."""

    path: str
    """Relative to the vault, posix."""
    title: str = ""
    """What a reader calls it: the label where none is given and the syntax wants one."""
    id: str = ""
    """The note's own id, or the id of the place, by which Org links where there is one."""
    place: str = ""
    """Heading text, block id, custom id, or target; empty for the note as a whole."""
    place_kind: Literal["heading", "block", "custom_id", "target", "id"] = "heading"


def format_link(
    address: Address,
    source: str,
    conventions: Conventions,
    *,
    label: str = "",
    others: Iterable[str] = (),
    style: Literal["wiki", "markdown"] | None = None,
    embed: bool = False,
) -> str:
    """The link to `address` in the note at `source` (relative path), in that note's format.

    `others` are the paths of the other notes that answer to the same file name: with them the name is made unambiguous. `style`
    overrides what the conventions say of Markdown notes.
    """
    if split_suffix(source)[1].lower() == ".org":
        return _org(address, source, conventions, label, others)
    if (style or conventions.link_style) == "markdown" or _NOT_IN_WIKILINK.search(address.path):
        return _markdown(address, source, conventions, label, embed=embed)
    return _wiki(address, source, conventions, label, others, embed=embed)


def note_name(path: str, source: str, conventions: Conventions, others: Iterable[str] = ()) -> str:
    """What a wikilink in the note at `source` calls the note at `path`."""
    stem = split_suffix(path)[0]
    if conventions.tool == "logseq":
        return page_name(posixpath.basename(stem))
    if conventions.tool == "dendron":
        return posixpath.basename(stem)
    if conventions.path_style == "relative":
        return relative_path(stem, source)
    if conventions.path_style == "absolute":
        return stem
    return shortest_name(stem, (split_suffix(other)[0] for other in others))


def shortest_name(stem: str, others: Iterable[str]) -> str:
    """The shortest end of the path `stem`, from a slash on, that is the end of none of `others` (paths without suffix)."""
    ends = [("/" + fold(other)) for other in others if fold(other) != fold(stem)]
    parts = stem.split("/")
    for count in range(1, len(parts) + 1):
        name = "/".join(parts[-count:])
        if not any(end.endswith("/" + fold(name)) for end in ends):
            return name
    return "/" + stem if ends else stem


def relative_path(path: str, source: str) -> str:
    """`path` as seen from the folder of the note at `source`; both relative to the vault."""
    return posixpath.relpath(path, posixpath.dirname(source) or ".")


def _wiki(address: Address, source: str, conventions: Conventions, label: str, others: Iterable[str], *, embed: bool) -> str:
    name = "" if address.path == source and address.place else note_name(address.path, source, conventions, others)
    if conventions.tool == "logseq":
        return _logseq(address, name, label, embed=embed)
    target = name + _wiki_place(address, conventions)
    label = " ".join(_NOT_IN_WIKILINK.sub(" ", label).split())
    mark = "!" if embed else ""
    if not label or label == target:
        return f"{mark}[[{target}]]"
    return f"{mark}[[{label}|{target}]]" if conventions.tool == "dendron" else f"{mark}[[{target}|{label}]]"


def _wiki_place(address: Address, conventions: Conventions) -> str:
    if not address.place:
        return ""
    if address.place_kind == "block":
        return f"#^{address.place}"
    if conventions.tool == "dendron" and address.place_kind == "heading":
        return "#" + slug(address.place)
    return "#" + " ".join(_NOT_IN_FRAGMENT.sub(" ", address.place).split())


def _logseq(address: Address, page: str, label: str, *, embed: bool) -> str:
    """Logseq links pages by title and blocks by id; headings have no address of their own."""
    is_block = address.place and address.place_kind in ("block", "id")
    target = f"(({address.place}))" if is_block else f"[[{page or address.title}]]"
    if embed:
        return f"{{{{embed {target}}}}}"
    return f"[{label}]({target})" if label and label != page else target


def _markdown(address: Address, source: str, conventions: Conventions, label: str, *, embed: bool) -> str:
    target = ""
    if address.path != source or not address.place:
        path = address.path
        if conventions.tool == "obsidian" and conventions.path_style != "relative":
            target = encode(path, "bare")
        else:
            target = encode(relative_path(path, source), "bare")
    if address.place:
        place = slug(address.place) if address.place_kind == "heading" and conventions.tool != "obsidian" else address.place
        target += "#" + encode(("^" if address.place_kind == "block" else "") + place, "bare")
    text = label or address.place or address.title or posixpath.basename(split_suffix(address.path)[0])
    return f"{'!' if embed else ''}[{escaped_label(text)}]({target})"


def escaped_label(text: str) -> str:
    """`text` as the label of a Markdown link: on one line, brackets escaped."""
    return re.sub(r"([\\\[\]])", r"\\\1", " ".join(text.split()))


def _org(address: Address, source: str, conventions: Conventions, label: str, others: Iterable[str]) -> str:
    label = label or address.place or address.title
    if conventions.tool == "logseq":
        target = page_name(posixpath.basename(split_suffix(address.path)[0]))
    elif address.id:
        target = "id:" + address.id
    else:
        place = _org_place(address)
        here = address.path == source and place
        target = place if here else f"file:{relative_path(address.path, source)}" + (f"::{place}" if place else "")
    # A label can hold no brackets; braces stand for them, as Org's own org-link-make-string has it.
    shown = " ".join(label.replace("[", "{").replace("]", "}").split())
    return f"[[{encode(target, 'org')}][{shown}]]" if shown and shown != target else f"[[{encode(target, 'org')}]]"


def _org_place(address: Address) -> str:
    marks = {"heading": "*", "custom_id": "#"}
    return marks.get(address.place_kind, "") + address.place if address.place else ""
