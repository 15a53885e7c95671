"""LaTeX and what is read of it."""

from __future__ import annotations

import pytest
from told_entries import anchors_of, links_of, read, told

NOTE = r"""\documentclass[11pt]{article}
\usepackage{hyperref}
% a comment
\newcommand{\foo}[1]{bar #1}
\title{On \emph{Bread} \& Water\thanks{None}}
\author{Ada Baker \and Bob M\"uller}
\date{2024-03-01}
\begin{document}
\maketitle
Intro ``quoted'' text~--- it's fine\footnote{Really.} % hidden
with \textbf{bold \emph{nested}} and caf\'e, na\"{\i}ve, 50\%.

\section[Short]{Ingredients \label{sec:ing}}
\label{sec:two}
See Section~\ref{sec:ing} and \cite[p.~3]{knuth,lamport}.
\begin{itemize}
  \item Flour $x^2 + \alpha$
\end{itemize}
\begin{equation}\label{eq:e}
 E = mc^2 \frac{a}{b}
\end{equation}
\subsection*{A very
long heading}
\begin{tabular}{|l|c|}
\hline a & b \\ \hline
\end{tabular}
\begin{verbatim}
\section{not}
\end{verbatim}
\input{chapters/two} \href{https://example.org/a\%20b}{the \textbf{site}} and \url{https://example.org}.
\includegraphics[width=\textwidth]{pic.png}
\end{document}
trailing
"""


def test_a_document_is_read_as_its_reader_does():
    parsed = read(NOTE, "a.tex")
    assert told(parsed) == [
        "1-12 : Intro “quoted” text — it's fine Really. / with bold nested and café, naïve, 50%.",
        r"13-21 # Ingredients : See Section sec:ing and [knuth, lamport]. / - Flour $x^2 + \alpha$ / E = mc^2 \frac{a}{b}",
        r"22-33 ## A very long heading : a | b / \section{not} / the site and https://example.org.",
    ]
    assert (parsed.title, parsed.properties) == ("On Bread & Water", (("author", "Ada Baker"), ("author", "Bob Müller")))
    assert [(date.kind, date.start) for date in parsed.dates] == [("note", "2024-03-01")]


def test_links_and_anchors_lie_in_lines_of_the_file():
    parsed = read(NOTE, "a.tex")
    assert links_of(parsed) == [
        ("file", "#sec:ing", None, 15),
        ("citation", "@knuth", None, 15),
        ("citation", "@lamport", None, 15),
        ("file", "chapters/two", None, 30),
        ("url", "https://example.org/a%20b", "the site", 30),
        ("url", "https://example.org", None, 30),
        ("file", "pic.png", None, 31),
    ]
    assert anchors_of(parsed) == [("sec:ing", "Ingredients", 13), ("sec:two", "Ingredients", 14), ("eq:e", "Ingredients", 19)]


@pytest.mark.parametrize(
    ("source", "entries"),
    [
        (r"\chapter{One} a \section{Two} b", ["1-1 # One : a Two b"]),
        ("\\chapter{One}\n\\section{Two}\nb", ["1-1 # One :", "2-3 ## Two : b"]),
        (r"\section{never closed", ["1-1 : never closed"]),
        (r"\unknown[opt]{shown} \verb|a_{b}| \LaTeX{} is", ["1-1 : shown a_{b} LaTeX is"]),
        ("$never closed\n\nnext $x$", ["1-3 : $never closed / next $x$"]),
        ("\\begin{comment}\nno\n\\end{comment}\nyes", ["1-4 : yes"]),
        ("\\begin{frame}{Slide}\nbody\n\\end{frame}", ["1-3 # Slide : body"]),
        (r"Stra\ss e, \o re, Cura\c cao, \ae{}on, \LaTeX is", ["1-1 : Straße, øre, Curaçao, æon, LaTeX is"]),
        (r"\textcolor{red}{hot} \vspace{2cm} \def\x#1{y} cold", ["1-1 : hot cold"]),
        ("", []),
    ],
)
def test_sections_and_commands(source, entries):
    assert told(read(source, "a.tex")) == entries
