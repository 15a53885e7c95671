"""What a completion puts in, and what it replaces: the link as the vault's tool writes it, around what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from khoj_ls.graph.caret import Spot
from khoj_ls.graph.name_list import Named, NameList
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.places import NotePlace
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.encode import encode
from khoj_ls.links.format import Address, format_link, note_name, relative_path
from khoj_ls.links.names import page_name
from khoj_ls.links.text import fold, slug, split_suffix


@dataclass(frozen=True)
class Insertion:
    """Bytes [start, end) become `text`."""

    start: int
    end: int
    text: str
    filter: str
    """What a client that filters by itself should compare with the bytes from `start` to the caret: it begins with them."""


class Writer:
    """Writes what is chosen at one spot of a note."""

    def __init__(self, conventions: Conventions, note: OpenNote, spot: Spot, names: NameList) -> None:
        """Write as `conventions` have it; `names` tell which notes share a file name."""
        self._conventions = conventions
        self._note = note
        self._spot = spot
        self._names = names

    # -- notes ---------------------------------------------------------------------------------------------------------

    def note(self, item: Named, alias: str = "") -> Insertion:
        """A link to a note, called by `alias` where that is how it was found."""
        spot = self._spot
        if spot.kind == "path":
            return self._path(item)
        if spot.kind == "file":
            return self._org_file(item)
        if spot.style == "org":
            return self._org(item, alias or item.title)
        return self._wiki(item, alias)

    def _wiki(self, item: Named, alias: str) -> Insertion:
        spot, conventions = self._spot, self._conventions
        others = self._names.others(item.path)
        name = note_name(item.path, self._note.path, conventions, others)
        label = "" if spot.labelled or spot.embed or conventions.tool == "logseq" else alias or _title(item, name)
        if conventions.tool == "dendron" and spot.start - spot.open > 2:
            label = ""  # a label stands before the bar
        whole = format_link(
            Address(item.path, item.title), self._note.path, conventions, label=label, others=others, embed=spot.embed,
            style="wiki" if spot.labelled else None,
        )  # fmt: skip
        opening = "![[" if spot.embed else "[["
        if whole.startswith(opening) and whole.endswith("]]"):
            return self._insert(whole[len(opening) : -2] + spot.missing, alias or item.title)
        return self._whole(whole, alias or item.title)

    def _org(self, item: Named, label: str) -> Insertion:
        address = Address(item.path, item.title, item.id)
        whole = format_link(address, self._note.path, self._conventions, label=label, others=self._names.others(item.path))
        inner = whole[2:-2]
        if self._spot.labelled:
            inner = inner.partition("][")[0]
        return self._insert(inner + self._spot.missing, label)

    def _path(self, item: Named) -> Insertion:
        spot = self._spot
        from_root = self._conventions.tool == "obsidian" and self._conventions.path_style != "relative"
        path = item.path if from_root else relative_path(item.path, self._note.path)
        if spot.typed.startswith("./") and not path.startswith("."):
            path = "./" + path
        if spot.typed.startswith("/"):
            path = "/" + item.path
        text = encode(path, "angled" if spot.style == "angled" else "bare")
        return self._insert(text + spot.missing, item.title)

    def _org_file(self, item: Named) -> Insertion:
        spot = self._spot
        path = relative_path(item.path, self._note.path)
        if spot.typed.startswith("./") and not path.startswith("."):
            path = "./" + path
        label = "" if spot.labelled else f"][{_org_label(item.title)}"
        return self._insert(encode(path, "org") + self._close(label), item.title)

    def id(self, item: Named) -> Insertion:
        """The rest of an `id:` link, with a label where there is none."""
        label = "" if self._spot.labelled else f"][{_org_label(item.title)}"
        return self._insert(item.id + self._close(label), item.title)

    def _close(self, label: str) -> str:
        return label + self._spot.missing

    # -- places --------------------------------------------------------------------------------------------------------

    def fits(self, place: NotePlace) -> bool:
        """Whether a link of this syntax can name such a place here."""
        spot = self._spot
        if spot.mark == "^":
            return place.kind in ("block", "id")
        if spot.mark == "*":
            return place.kind == "heading"
        if spot.style == "org":
            return place.kind == "custom_id" if spot.mark == "#" else place.kind in ("heading", "custom_id", "target")
        if self._conventions.tool == "logseq" and spot.style == "wiki":
            return place.kind == "block"
        return place.kind in ("heading", "block", "custom_id") or (place.kind == "target" and spot.style != "wiki")

    def place(self, path: str, place: NotePlace, places: Sequence[NotePlace]) -> Insertion:
        """The rest of a link to a place in the note at `path`."""
        spot = self._spot
        shown = place.text or place.name
        if spot.style == "org":
            sign = {"heading": "*", "custom_id": "#"}.get(place.kind, "") if not spot.mark else ""
            label = "" if spot.labelled else f"][{_org_label(shown)}"
            return self._insert(encode(sign + place.name, "org") + self._close(label), shown, sign)
        sign = "^" if place.kind == "block" and spot.mark != "^" else ""
        if place.kind != "heading":
            return self._insert(sign + quote_place(place.name, spot.style) + spot.missing, shown, sign)
        if spot.style == "wiki":
            whole = format_link(
                Address(path, place=place.name), path, self._conventions, style="wiki",
            )  # fmt: skip
            return self._insert(whole[2:-2].partition("#")[2] + spot.missing, shown)
        if self._conventions.tool == "obsidian":
            return self._insert(quote_place(place.name, spot.style) + spot.missing, shown)
        return self._insert(quote_place(_numbered(place, places), spot.style) + spot.missing, shown)

    # -- the rest ------------------------------------------------------------------------------------------------------

    def tag(self, name: str) -> Insertion:
        """A tag; between brackets where Logseq needs them, closed by a colon in Org."""
        spot = self._spot
        if spot.kind == "org_tag":
            behind = self._note.source[spot.end : spot.end + 1]
            return self._insert(name + ("" if behind == b":" else ":"), name)
        if any(character.isspace() for character in name):
            return self._insert(f"[[{name}]]", name)
        return self._insert(name, name)

    def plain(self, text: str) -> Insertion:
        """`text` as it is."""
        return self._insert(text + self._spot.missing, text)

    def _insert(self, text: str, name: str, sign: str = "") -> Insertion:
        spot = self._spot
        return Insertion(spot.start, spot.end, text, filter_text(spot.typed, sign + name if sign else name))

    def _whole(self, text: str, name: str) -> Insertion:
        """In place of the opening mark, too: the tool writes another kind of link."""
        spot = self._spot
        written = self._note.source[spot.open : spot.caret].decode(errors="replace")
        return Insertion(spot.open, spot.end + spot.closed, text, filter_text(written, written + name))


def filter_text(written: str, name: str) -> str:
    """A text that every client's filter lets through: it begins with what is written, and goes on with the name."""
    if name.lower().startswith(written.lower()):
        return written + name[len(written) :]
    return f"{written} {name}"


def quote_place(name: str, style: str) -> str:
    """A fragment as the syntax wants it."""
    if style == "markdown":
        return quote(name, safe="!$&'*+,;=:@/?-._~") if name.isascii() or " " in name else encode(name, "bare")
    return encode(name, "angled") if style == "angled" else name


def _numbered(place: NotePlace, places: Sequence[NotePlace]) -> str:
    """The slug of a heading; the second of one name has a number behind it (github-slugger)."""
    base = slug(place.name)
    before = [each for each in places if each.kind == "heading" and each.start < place.start and slug(each.name) == base]
    return f"{base}-{len(before)}" if before else base


def _title(item: Named, name: str) -> str:
    """The title as a label, unless the name says the same."""
    plain = fold(name.rpartition("/")[2])
    return "" if fold(item.title) == plain or page_name(split_suffix(name)[0]) == item.title else item.title


def _org_label(text: str) -> str:
    return " ".join(text.replace("[", "{").replace("]", "}").split())
