"""The ways in which a link may be written so that it leads where it led, the likest to what stands there first.

Whether one of them leads there is for the caller to ask the network: nothing here is certain, and all of it is cheap.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from khoj_ls.core.types import Link
from khoj_ls.links.anchors import NotePlaces, Place
from khoj_ls.links.conventions import Conventions
from khoj_ls.links.encode import decode, encode
from khoj_ls.links.format import note_name, relative_path, shortest_name
from khoj_ls.links.names import page_name
from khoj_ls.links.retarget import moved_name
from khoj_ls.links.rewrite import Written, redirect
from khoj_ls.links.target import LinkTarget
from khoj_ls.links.text import fold, plain_heading, split_suffix

Pairs = Sequence[tuple[str, str]]
"""Old names and new ones."""

_NOT_IN_FRAGMENT = re.compile(r"[#^|\\\[\]]|%%")
_RANGE = re.compile(r"(?:,\d+)?(?::#.*)?$")
"""How far a note reference of Dendron goes, behind the heading it begins at."""
_STARS = re.compile(r"\*+[ \t]*")
_TAG = re.compile(r"[^\s#,.;:!?\"'()\[\]{}<>|^*`~&%$+=@\\]+")


@dataclass(frozen=True)
class Case:
    """One link, and what becomes of it."""

    link: Link
    target: LinkTarget
    written: Written
    source_type: str
    source: str
    """Path of the note it will stand in."""
    source_before: str
    path: str
    """Path of what it will lead to."""
    path_before: str
    title: str | None
    """Of the target's note, as it will be."""
    names: Pairs
    """Titles, aliases and ids of the target that change."""
    place_before: Place | None
    place: Place | None
    places_before: NotePlaces
    places: NotePlaces
    """Of the target's note."""
    headings: Pairs
    """Headings of that note that change."""
    others: Sequence[str]
    """Paths of other notes that will have the target's file name."""
    conventions: Conventions


def spellings(case: Case) -> Iterator[str]:
    """Texts for the target, as `Written.text` has it; the first that leads there should be taken."""
    if case.link.kind == "tag":
        yield from _tags(case)
        return
    for note, place in product(_notes(case), _places(case)):
        yield _text(case, note, place)
    yield from _anew(case)


def _text(case: Case, note: str | None, place: str | None) -> str:
    if place is not None and _is_place_alone(case):
        return encode(place, case.written.encoding, case.written.text)
    edit = redirect(case.written, note=note, place=place)
    raw = case.written.text.encode(errors="surrogateescape")
    start = case.written.start
    text = raw[: edit.start - start] + edit.text.encode(errors="surrogateescape") + raw[edit.end - start :]
    return text.decode(errors="surrogateescape")


def _is_place_alone(case: Case) -> bool:
    """Whether the whole target names a place of its own note: Org's `*heading`, `#custom-id` and text, and footnotes."""
    if case.link.kind == "footnote":
        return True
    return case.source_type == "org" and case.written.mark == "::" and case.target.scheme in ("here", "fuzzy")


# -- the note ------------------------------------------------------------------------------------------------------------


def _notes(case: Case) -> list[str | None]:
    """What may name the note; None leaves what is there."""
    target = case.target
    if target.scheme == "here" or (target.scheme == "fuzzy" and case.place is not None):
        return [None]
    found: list[str | None] = []
    if case.path == case.path_before and (case.source == case.source_before or not _is_relative(target)):
        found.append(None)
    named = next(((old, new) for old, new in case.names if fold(old) == fold(target.note)), None)
    if named and target.scheme in ("name", "fuzzy", "title", "id", "citation", "denote"):
        found.insert(0, _alike(target.note, *named))
    elif (
        target.note == case.title
        and target.note != posixpath.basename(split_suffix(case.path_before)[0])
        and _uses_titles(case)
    ):
        found.append(None)
    for others in ((), case.others):
        moved = moved_name(
            target, case.path_before, case.path, case.source, case.conventions, source_before=case.source_before, others=others
        )
        if moved is None and _is_folder_name(case):
            moved = case.path
        if moved is not None:
            old, new = (posixpath.basename(split_suffix(path)[0]) for path in (case.path_before, case.path))
            is_folder = target.note.endswith("/") and not split_suffix(case.path_before)[1]
            slash = "/" if is_folder and not moved.endswith("/") else ""
            found.append(_like_name(target.note, moved, old, new) + slash)
    return list(dict.fromkeys(found or [None]))


def _is_relative(target: LinkTarget) -> bool:
    return target.scheme == "path" or target.note.startswith(("./", "../"))


def _uses_titles(case: Case) -> bool:
    """Whether the tool finds notes by their titles: Obsidian and Dendron know file names only."""
    return case.target.scheme in ("name", "fuzzy") and case.conventions.tool not in ("obsidian", "dendron")


def _is_folder_name(case: Case) -> bool:
    return case.target.scheme == "path" and not split_suffix(case.path)[1] and case.target.note.strip("/") == case.path_before


def _like_name(written: str, moved: str, old: str, new: str) -> str:
    """`moved` with its last part in the case that `written` has: `[[plum tree]]` for "Plum Tree" stays in small letters."""
    stem, suffix = split_suffix(written)
    base = stem.rpartition("/")[2]
    case = next((case for case in (str.lower, _capitalised) if base == case(old)), None)
    if base == old or case is None:
        return moved
    moved_stem, moved_suffix = split_suffix(moved)
    folder, slash, last = moved_stem.rpartition("/")
    return folder + slash + case(last) + moved_suffix if last == new and suffix == moved_suffix else moved


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _alike(written: str, old: str, new: str) -> str:
    return new.lower() if written != old and written == old.lower() else new


# -- the place -----------------------------------------------------------------------------------------------------------


def _places(case: Case) -> list[str | None]:
    """What may name the place; None leaves what is there."""
    before, after = case.place_before, case.place
    if before is None or after is None or case.target.fragment is None:
        return [None]
    alone = _is_place_alone(case)
    known = case.written.place
    if not alone and known is None:
        return [None]
    raw = case.written.text if alone else case.written.text[slice(*known)] if known else ""
    raw = decode(raw, case.written.encoding)
    if before.kind != "heading":
        return [None if before.name == after.name else raw.replace(before.name, after.name)]
    stars = _STARS.match(raw) if case.source_type == "org" else None
    prefix = stars[0] if stars else "#" if case.source_type == "org" and raw.startswith("#") else ""
    tail = range_[0] if case.source_type != "org" and (range_ := _RANGE.search(raw)) else ""
    found = [each if each is None else each + tail for each in _headings(case, raw.removesuffix(tail), prefix)]
    return found or [None]


def _headings(case: Case, raw: str, prefix: str) -> list[str | None]:
    """What may name the heading instead of `raw`, which begins with `prefix`."""
    before, after = case.place_before, case.place
    assert before is not None
    assert after is not None
    *above, last = raw[len(prefix) :].split("#") if case.source_type != "org" else [raw[len(prefix) :]]
    uppers = [next((_styled(each, *pair) or pair[1] for pair in case.headings if _same(each, pair[0])), each) for each in above]
    begin = "#".join([*uppers, ""]) if uppers else ""
    found: list[str | None] = []
    if uppers == above and before.name == after.name:
        found.append(None)
    slugs = (_slug_of(case.places_before, before), _slug_of(case.places, after))
    for old, new in (
        [slugs, *_name_pairs(case)] if case.link.kind == "markdown" or prefix == "#" else [*_name_pairs(case), slugs]
    ):
        if old and new and (styled := _styled(last, old, new)) is not None:
            found.append(prefix + begin + styled)
    new_slug = _slug_of(case.places, after)
    names = [new for _, new in _name_pairs(case)]
    if case.link.kind == "markdown":
        names.insert(0, new_slug)
    clean = [" ".join(_NOT_IN_FRAGMENT.sub(" ", name).split()) for name in names]
    found += [prefix + begin + name for name in clean if name]
    if case.source_type != "org":
        found += [nested for name in clean for nested in _nested(case.places, after, name)]
        found.append(new_slug or None)
    return list(dict.fromkeys(found))


def _name_pairs(case: Case) -> list[tuple[str, str]]:
    """The names of the heading before and after: Org has one as read and one as written."""
    before = _names_at(case.places_before, case.place_before)
    after = _names_at(case.places, case.place)
    if case.source_type == "org" and len(after) > len(before):
        after = after[-1:]  # as written
    return list(zip(before, [*after, *after[-1:] * len(before)], strict=False))


def _names_at(places: NotePlaces, place: Place | None) -> list[str]:
    if place is None:
        return []
    return [each.name for each in places.all if each.kind == "heading" and each.span.start == place.span.start]


def _same(written: str, heading: str) -> bool:
    return plain_heading(written) == plain_heading(heading)


def _styled(written: str, old: str, new: str) -> str | None:
    """`new` changed as `old` was to be `written`; None when it is not known how that was."""
    for style in _STYLES:
        if style(old) == written:
            return style(new)
    return None


def _cased_slug(text: str) -> str:
    return re.sub(r"[^\w\- ]", "", text.strip()).replace(" ", "-")


_STYLES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: " ".join(_NOT_IN_FRAGMENT.sub(" ", text).split()),
    str.lower,
    _cased_slug,
    lambda text: text.replace(" ", "_"),
    lambda text: text.replace(" ", "-"),
)


def _slug_of(places: NotePlaces, place: Place) -> str:
    return next((name for name, each in places.slugs.items() if each.span.start == place.span.start), "")


def _nested(places: NotePlaces, place: Place, name: str) -> Iterator[str]:
    """`parent#name`, by which Obsidian tells two headings of one name apart."""
    above: list[Place] = []
    for each in places.all:
        if each.kind != "heading" or each.span.start > place.span.start:
            continue
        while above and above[-1].level >= each.level:
            above.pop()
        if each.span.start == place.span.start:
            break
        above.append(each)
    for count in range(1, len(above) + 1):
        yield "#".join([*(" ".join(_NOT_IN_FRAGMENT.sub(" ", each.name).split()) for each in above[-count:]), name])


# -- anew ----------------------------------------------------------------------------------------------------------------


def _anew(case: Case) -> Iterator[str]:
    """The target written without regard to how it was: longer and longer names, then Org's ids and paths."""
    is_org = case.source_type == "org" and case.written.mark == "::"
    place = _place_anew(case, is_org=is_org)
    stem, suffix = split_suffix(case.path)
    relative = relative_path(case.path, case.source)
    if is_org:
        identity = next((each.name for each in case.places.all if _is_id(each, case.place)), None)
        names = [f"id:{identity}"] if identity else []
        names.append(f"file:{relative}" + (f"::{place}" if place else ""))
        yield from (encode(name, "org") for name in names)
        return
    if case.link.kind in ("wikilink", "embed"):
        conventions = case.conventions
        names = [note_name(case.path, case.source, conventions, case.others)]
        names += [shortest_name(stem, (split_suffix(other)[0] for other in case.others)), stem, "/" + stem, stem + suffix]
        names.append(page_name(posixpath.basename(stem)))
    else:
        kept = suffix if split_suffix(case.target.note)[1] or not case.target.note else ""
        names = [relative_path(stem, case.source) + kept, relative, "/" + stem + kept, "/" + case.path]
    for name in dict.fromkeys(names):
        yield encode(name, case.written.encoding) + (f"#{encode(place, case.written.encoding)}" if place else "")


def _is_id(anchor: Place, place: Place | None) -> bool:
    return anchor.kind == "id" and place is not None and anchor.span.start == place.span.start


def _place_anew(case: Case, *, is_org: bool) -> str:
    place = case.place
    if place is None:
        return ""
    if is_org:
        return {"heading": "*", "custom_id": "#"}.get(place.kind, "") + place.name
    if place.kind == "block":
        return "^" + place.name
    if place.kind == "heading" and case.link.kind == "markdown":
        return _slug_of(case.places, place)
    return " ".join(_NOT_IN_FRAGMENT.sub(" ", place.name).split())


def _tags(case: Case) -> Iterable[str]:
    """A tag that is a page: its name, in brackets where a tag cannot hold it."""
    yield case.written.text
    old_stem, stem = (posixpath.basename(split_suffix(path)[0]) for path in (case.path_before, case.path))
    pairs = [*case.names, (page_name(old_stem), page_name(stem))]
    if old_stem.startswith("tags.") and stem.startswith("tags."):
        pairs.append((old_stem[5:], stem[5:]))
    for old, new in pairs:
        if fold(old) == fold(case.target.note) and old != new:
            in_brackets = case.written.start > case.link.span.start + 1
            plain = in_brackets or _TAG.fullmatch(new)
            yield _alike(case.written.text, old, new) if plain else f"[[{new}]]"
