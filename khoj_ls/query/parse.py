"""Reading a query: what to look for, what must occur exactly, what must not occur, and its filters.

`"..."` or `+"..."` must occur, `-"..."` must not. A quote counts only where one can open: a sentence pasted with an inch mark,
an apostrophe, or the second half of a quotation stays plain words.

`name:value` or `name:"some value"` is a filter where a name of `FILTERS` begins a word and its value follows at once; `-` in
front turns it round. Everything else with a colon is text: a blank after it (`title: x`), two (`std::vector`), an address
(`file://x`), a name written large (`TODO:x`). Of unknown names only what cannot be meant otherwise is an error:
a quoted value (`foo:"x"`), or a name that is nearly one there is (`tags:x`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from types import MappingProxyType

from khoj_ls.core.errors import UsageError
from khoj_ls.query.dates import days_of
from khoj_ls.query.match import nearest
from khoj_ls.query.types import FILTERS, AnyFilter, DateFilter, Filter, PropertyFilter, Query

MAX_QUERY_CHARS = 20_000
"""What is read of a query; whole notes are pasted, whole books need not be searched for."""
MAX_FILTERS = 30
_MOST_VALUE_CHARS = 300

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_PHRASE = re.compile(r'(?<![^\s(\[{])([+-]?)(?:"([^"]*)"|“([^”“]*)”|„([^“”„]*)[“”])(?![^\W_])')
# A quote that is not closed, as while it is typed, holds all that follows.
_QUOTED = r'"([^"]*)(?:"|\Z)|“([^”“]*)(?:[”“]|\Z)|„([^“”„]*)(?:[“”]|\Z)'
_FILTER = re.compile(
    r"(?:(?<!\S)|(?<=^\()|(?<=\s\())(?P<sign>[+-]?)(?P<name>[^\W\d_]{2,20})(?P<relation>:[<>]=?|:(?![:=])|[<>]=?|=)"
    rf"(?:(?P<quoted>{_QUOTED}|\[\[([^\]\n]*)\]\])|(?P<bare>[^\s\"“„]+)(?P<inside>(?<==)(?:{_QUOTED}))?)"
)
"""What may be a filter: sign, name, relation, and a value: quoted, in link brackets, bare, or bare with quotes after a `=`."""
_NUMBER = re.compile(r"\d{1,3}|\d*\.\d+")
_OPENING = MappingProxyType({")": "(", "]": "[", "}": "{"})

_MOST_TYPED_CHARS = 400
"""Nobody types more into a search box."""

_MEANT = MappingProxyType(
    {
        **dict.fromkeys(("filename", "filenames"), "file"),
        **dict.fromkeys(("folder", "dir", "directory"), "path"),
        **dict.fromkeys(("property", "properties", "prop", "props"), "prop"),
        **dict.fromkeys(("prio", "priorities"), "priority"),
        **dict.fromkeys(("links", "linkto", "linkedto"), "linksto"),
        **{f"{name}s": name for name in FILTERS if name not in ("linksto", "dt")},
    }
)
"""Names that are nearly those of filters, and of nothing else."""


def parse(text: str, today: date | None = None) -> Query:
    """Read a query; dates in words are counted from `today`. Every text is one but those that raise UsageError.

    Those are, in a query that was typed: a filter that does not exist, a date that is none, a value that is empty or too long.
    """
    readable = _CONTROL.sub(" ", text[:MAX_QUERY_CHARS])
    try:
        return _read(readable, today)
    except UsageError:
        # A text of many words or several lines was pasted, and its author knew nothing of filters.
        if is_pasted(readable):
            return Query(" ".join(readable.split()))
        raise


def is_pasted(text: str) -> bool:
    """Whether a text is a passage from somewhere rather than a question that was typed: a long one, or one of several lines."""
    return len(text) > _MOST_TYPED_CHARS or "\n" in text.strip()


def _read(readable: str, today: date | None) -> Query:
    required: dict[str, None] = {}
    excluded: dict[str, None] = {}
    filters: dict[AnyFilter, None] = {}
    rest: list[str] = []
    at = 0
    for found in tokens(readable):
        rest += [readable[at : found.start()], " "]
        at = found.end()
        if found.re is _FILTER:
            filters[_filter(found, today)] = None
        elif words := " ".join((found[2] or found[3] or found[4] or "").split()):
            (excluded if found[1] == "-" else required)[words] = None
            rest += [] if found[1] == "-" else [words, " "]
    if len(filters) > MAX_FILTERS:
        raise UsageError(f"a query takes {MAX_FILTERS} filters, not {len(filters)}")
    rest.append(readable[at:])
    return Query(" ".join("".join(rest).split()), tuple(required), tuple(excluded), tuple(filters))


def tokens(text: str, *, lenient: bool = False, more: Collection[str] = ()) -> Iterator[re.Match[str]]:
    """The filters and phrases of a query, in order; `more` are names of filters beside the built-in ones.

    Raises UsageError for filters that do not exist, unless `lenient`.
    """
    at = 0
    phrase, candidate = _PHRASE.search(text), _FILTER.search(text)
    while phrase or candidate:
        if candidate and not (phrase and phrase.start() < candidate.start()):
            if _is_filter(candidate, lenient, more):
                yield candidate
                at = candidate.end()
            else:
                at = candidate.start("relation")
        elif phrase:
            yield phrase
            at = phrase.end()
        # Each is looked for anew only once it is passed: a query of thousands of either is read in one go.
        if phrase and phrase.start() < at:
            phrase = _PHRASE.search(text, at)
        if candidate and candidate.start() < at:
            candidate = _FILTER.search(text, at)


def _is_filter(found: re.Match[str], lenient: bool, more: Collection[str]) -> bool:
    """Whether what looks like a filter is one, and not text. Raises UsageError (see `tokens`) when it does not exist."""
    name, relation, bare = found["name"], found["relation"], found["bare"]
    known = (name.lower() in FILTERS or name.lower() in more) and name[1:] == name[1:].lower()
    if not relation.startswith(":"):
        # `dt=0.01` is the physicist's.
        return known and name.lower() == "dt" and not _NUMBER.fullmatch(bare or "")
    if bare is not None and (bare.startswith("//") or not _trimmed(bare)):
        return False
    if known:
        return True
    if not lenient and (bare is None or (name.islower() and name in _MEANT and found["inside"] is None)):
        raise _unknown(name)
    return False


def _unknown(name: str) -> UsageError:
    meant = _MEANT.get(name.lower()) or nearest(name.lower(), tuple(FILTERS))
    hint = f" Did you mean {meant}: ?" if meant else ""
    return UsageError(
        f"there is no filter {name}:{hint} Known are {', '.join(f'{known}:' for known in FILTERS)}. "
        f"To search for the words, write a blank after the colon."
    )


def _filter(found: re.Match[str], today: date | None) -> AnyFilter:
    name = FILTERS[found["name"].lower()].name
    bare = found["bare"]
    value = value_written(found)
    if name != "dt" and bare is not None:
        value = found["relation"][1:] + value
    value = " ".join(value.split())
    excluded = found["sign"] == "-"
    if not value:
        raise UsageError(f"{name}: wants a value, as in {FILTERS[name].example}")
    if len(value) > _MOST_VALUE_CHARS:
        raise UsageError(f"the value of {name}: has {len(value)} characters; it may have {_MOST_VALUE_CHARS}")
    if name == "dt":
        return _date_filter(found["relation"].lstrip(":"), value, excluded, today or date.today())
    if name == "prop":
        wanted, equals, to = value.partition("=")
        if not wanted.strip():
            raise UsageError(f"prop: wants a name, as in {FILTERS['prop'].example}")
        return PropertyFilter(wanted.strip(), to.strip() if equals else None, excluded)
    return Filter(name, value, excluded)


def _date_filter(relation: str, value: str, excluded: bool, today: date) -> DateFilter:
    since, before = days_of(value, today)
    if relation in ("", "="):
        return DateFilter(since, before, False, excluded)
    if relation.startswith(">"):
        return DateFilter(since if relation == ">=" else before, None, True, excluded)
    return DateFilter(None, before if relation == "<=" else since, True, excluded)


def value_written(found: re.Match[str]) -> str:
    """The value of a filter as it is written, without quotes and the punctuation of the sentence around it."""
    if found["bare"] is None:
        return _unquoted(found["quoted"])
    if found["inside"] is not None:
        return str(found["bare"]) + _unquoted(found["inside"])
    return _trimmed(found["bare"])


def _unquoted(quoted: str) -> str:
    if quoted.startswith("[["):
        return quoted[2:-2]
    return quoted[1:-1] if quoted[-1] in '"“”' and len(quoted) > 1 else quoted[1:]


def _trimmed(bare: str) -> str:
    """A bare value without the punctuation of the sentence around it."""
    while bare and (bare[-1] in ",;" or (bare[-1] in _OPENING and _OPENING[bare[-1]] not in bare)):
        bare = bare[:-1]
    return bare
