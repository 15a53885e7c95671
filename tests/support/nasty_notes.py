"""Notes that trip up whoever counts lines, characters or brackets carelessly."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

NASTY: MappingProxyType[str, str] = MappingProxyType(
    {
        "empty.md": "",
        "newline.md": "\n",
        "no-end.org": "* 🦉 [[file:nasty.md][中文]]",
        "nasty.md": (
            "---\ntitle: 🦉 Nasty 中文\ntags: [α/β, 'two words', 🦉]\naliases:\n  - Böse\n---\n"
            "🦉🦉 [[no-end|中文]] \u2028 [[#Über 🦉|é]] \f [x](no-end.org#e%CC%81) #α/β\r\n"
            "e\u0301 [[missing]] [[ [[empty]] ]] ![[image.png]] <https://example.org/ü> [r][ref]\n\n"
            "## Über 🦉 #tag ^id-1\n\n- 中 ^block-1\n\t- ((00000000-0000-4000-8000-000000000000))\n\n"
            "[ref]: <empty.md> 't'\n[^1]: 🦉\n"
        ),
        "crlf.org": (
            "#+title: Zeile\r\n#+filetags: :α:β:\r\n* TODO Kopf 🦉 :α:\r\n:PROPERTIES:\r\n:ID: 0-1\r\n:END:\r\n"
            "[[*Kopf 🦉]] [[id:0-1][中]]\r\n"
        ),
        "cr.md": "# One\rtext [[two]]\r## Two 🦉\r[[#One]]",
        "setext.md": "Über 🦉\n===\n\n[[#Sub]]\n\nSub\n---\n\ntext\n",
        "deep.md": "".join(f"{'#' * (1 + n % 6)} H{n} 🦉\n[[#H{n // 2} 🦉]]\n" for n in range(40)),
        "odd.md": "# a\x0bb\u2029c\x85d [[odd#a]]\n\ufeff\u200d\ufe0f[[odd]]\n",
        "broken.org": "* [[\n** [[id:\n#+begin_src x\n[[a]]\n* :a:b\n<<t>> [[t]] [fn::x [[y]]] [cite:@k]\n",
    }
)


def write_nasty(folder: Path) -> None:
    """Put the notes into `folder`, byte for byte."""
    for name, text in NASTY.items():
        (folder / name).write_bytes(text.encode())
