"""Questions that lean on what was said before: `and who pays for it?` is searched for together with what it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from khoj_ls.search.words import is_unspaced, query_terms, words

_FEW_TERMS = 2
"""A question with so few words of content cannot stand alone, where something was said before."""
_SHORT_WORDS = 14
"""In longer messages a pronoun means most often something that the message says itself."""
_MOST_BACK = 4
"""How many earlier questions are looked at for what a question is about."""
_MOST_TERMS = 12

_POINTING_WORDS = (
    "it its that this these those they them their theirs he him his she her hers there then one ones former latter same other",
    "others else more again also why continue elaborate expand further both",
    "er sie es ihn ihm ihr ihre ihren ihrem das dies diese dieser dieses davon dazu damit darüber dort dann noch mehr warum",
    "wieso auch sonst",
    "il elle ils elles lui leur leurs cela ça celui celle ceux cette y en encore pourquoi aussi",
    "él ella ellos ellas eso esto ese esa esos esas lo le les su sus más también",
    "esso essa lui lei loro questo questa quello quella ciò ne perché anche ancora",
    "ele ela eles elas isso isto esse essa este esta mais também",
    "он она оно они его её ее их это этот эта эти там тогда почему ещё еще также",
)
_POINTING = frozenset(word for line in _POINTING_WORDS for word in line.split())
_POINTING_UNSPACED = re.compile(
    "それ|これ|あれ|その|この|なぜ|どうして|もっと|它|他们|她|这|那|为什么|为何|還有|还有|更多|그것|이것|그|왜|더"
)
_OPENING = re.compile(r"(?:and|but|or|so|what about|how about|und|aber|et|mais|y|pero|e|ma|mas|и|а)\b", re.IGNORECASE)


def leans(question: str) -> bool:
    """Whether a question, asked after others, means something that only they say."""
    said = [word.lower() for word in words(question)]
    if is_unspaced(question):
        return len(question) <= 6 or bool(len(question) <= 30 and _POINTING_UNSPACED.search(question))
    if len(said) > _SHORT_WORDS:
        return False
    terms = [term for term in dict.fromkeys(query_terms(question)) if term not in _POINTING]
    few = len(terms) <= _FEW_TERMS and len(said) <= 4
    return few or bool(_OPENING.match(question.strip())) or any(word in _POINTING for word in said)


def subject(question: str, before: Sequence[str]) -> str:
    """Words to look for beside those of `question`: what the questions `before` it (oldest first) are about.

    Back to the last one that stands by itself; empty where `question` does.
    """
    if not before or not leans(question):
        return ""
    own = {term.lower() for term in words(question)}
    found: dict[str, None] = {}
    for earlier in reversed(before[-_MOST_BACK:]):
        terms = query_terms(earlier) if not is_unspaced(earlier) else [earlier.strip()]
        found.update(dict.fromkeys(term for term in terms if term not in own and term not in _POINTING))
        if not leans(earlier):
            break
    return " ".join(list(found)[:_MOST_TERMS])
