"""What the commands of LaTeX mean to a reader: which of them head sections, name places, hide their arguments, or are signs."""

from __future__ import annotations

import unicodedata
from types import MappingProxyType

SECTIONS = MappingProxyType(
    {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6, "subparagraph": 7}
)
"""Commands that head a section, by their depth in the largest of document classes; `frametitle` heads a slide of beamer."""
FRAMES = MappingProxyType({"frametitle": 6})
SAID_ONCE = MappingProxyType(
    {"title": "title", "author": "author", "date": "date", "subtitle": "subtitle", "keywords": "keywords"}
)
"""Commands that say something about the document."""
REFERENCES = frozenset({"ref", "eqref", "pageref", "autoref", "cref", "Cref", "nameref", "vref", "hyperref"})
CITATIONS = frozenset(
    {"cite", "citep", "citet", "citealp", "citealt", "citeauthor", "citeyear", "parencite", "textcite", "autocite", "footcite",
     "fullcite", "nocite", "Citet", "Textcite", "Parencite", "Autocite"}
)  # fmt: skip
INPUTS = frozenset({"input", "include", "subfile", "subfileinclude", "import", "bibliography", "addbibresource"})
PICTURES = frozenset({"includegraphics", "includepdf", "includesvg", "lstinputlisting", "verbatiminput", "inputminted"})
HIDDEN = frozenset(
    {"documentclass", "usepackage", "RequirePackage", "newcommand", "renewcommand", "providecommand", "newenvironment",
     "renewenvironment", "DeclareMathOperator", "newtheorem", "def", "let", "setlength", "addtolength", "setcounter",
     "addtocounter", "vspace", "hspace", "bibliographystyle", "pagestyle", "thispagestyle", "pagenumbering", "graphicspath",
     "hypersetup", "geometry", "definecolor", "color", "textcolor", "phantom", "vphantom", "hphantom", "rule", "index",
     "glossary", "newglossaryentry", "newacronym", "lstset", "tikzset", "pgfplotsset", "usetikzlibrary", "usetheme",
     "usecolortheme", "selectlanguage", "setmainfont", "cline", "cmidrule", "multirow", "addcontentsline", "markboth",
     "markright", "fontsize", "raisebox", "resizebox", "scalebox", "hyphenation", "theoremstyle", "captionsetup", "label",
     "bibitem", "input"}
)  # fmt: skip
"""Commands whose arguments are none of the text. Of `textcolor` and the like only the first is hidden."""
FIRST_HIDDEN = frozenset({"textcolor", "color", "raisebox", "resizebox", "scalebox", "multirow", "colorbox", "foreignlanguage"})
VERBATIM = frozenset({"verbatim", "verbatim*", "lstlisting", "minted", "Verbatim", "alltt"})
UNREAD = frozenset({"comment", "filecontents", "filecontents*", "tikzpicture", "pgfpicture"})
MATH = frozenset(
    name + star
    for name in ("equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "alignat", "flalign")
    for star in ("", "*")
)
WITH_ARGUMENTS = frozenset(
    {"tabular", "tabular*", "tabularx", "tabulary", "array", "longtable", "minipage", "multicols", "wrapfigure", "adjustbox",
     "thebibliography", "list", "textblock", "column", "spacing", "CJK", "otherlanguage", "alignat", "alignat*", "minted"}
)  # fmt: skip
"""Environments that begin with arguments in braces."""
SIGNS = MappingProxyType(
    {"ldots": "…", "dots": "…", "LaTeX": "LaTeX", "TeX": "TeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "ss": "ß", "o": "ø",
     "O": "Ø", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å", "l": "ł", "L": "Ł", "i": "ı", "j": "ȷ",
     "S": "§", "P": "¶", "pounds": "£", "euro": "€", "copyright": "©", "dag": "†", "ddag": "‡", "textendash": "–",
     "textemdash": "—", "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textbar": "|",
     "textless": "<", "textgreater": ">", "textquotesingle": "'", "textdegree": "°", "degree": "°", "item": "- ", "quad": " ",
     "qquad": " ", "space": " ", "newline": " ", "linebreak": " ", "par": " ", "and": ", ", "slash": "/", "footnote": " "}
)  # fmt: skip
_ACCENTS = MappingProxyType(
    {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304", ".": "\u0307", "u": "\u0306",
     "v": "\u030c", "H": "\u030b", "c": "\u0327", "k": "\u0328", "r": "\u030a", "d": "\u0323", "b": "\u0331", "t": "\u0361"}
)  # fmt: skip
ACCENTS = frozenset(_ACCENTS)


def accented(accent: str, letter: str) -> str:
    """`letter` under the accent that a command writes: `'` and `e` make `é`."""
    base = {"\\i": "i", "\\j": "j", "ı": "i", "ȷ": "j"}.get(letter, letter)
    return unicodedata.normalize("NFC", base[:1] + _ACCENTS[accent]) + base[1:] if base else ""
