"""A link whose target is written otherwise: how it reads then, and the edit that writes it."""

from __future__ import annotations

import re

from khoj_ls.core.types import Link, LinkKind
from khoj_ls.graph.network import ResolvedLink
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.respell import Case
from khoj_ls.links.rewrite import Edit, smallest_edit
from khoj_ls.links.target import read_target

_NOT_PLAIN = re.compile(r"[\s()<>\[\]，。、；：！？（）「」『』《》]|[^\w/)]$")


def link_as_read(resolved: ResolvedLink, base: OpenNote) -> Link:
    """The link with target and label in the order in which they were taken: Dendron's may be the other way round."""
    link = resolved.link
    if link.label and link.kind in ("wikilink", "embed") and resolved.target != read_target(
        link.kind, link.target, base.parsed.type
    ):  # fmt: skip
        return Link(link.kind, link.label, link.target, link.span)
    return link


def read_kind(case: Case, target: str) -> LinkKind:
    """The kind of link that a target makes: Org's places of the note itself become files and ids when they name another."""
    if case.written.mark == "::":
        for kind in ("file", "id"):
            if target.startswith(f"{kind}:"):
                return kind
    return case.link.kind


def read_back(case: Case, text: str) -> str:
    """The target of a link whose target is written `text`."""
    if case.written.mark == "::":
        return re.sub(r"\\([\[\]\\])", r"\1", text)
    return text[2:-2] if case.link.kind == "tag" and text.startswith("[[") else text


def target_edit(case: Case, base: OpenNote, text: str) -> Edit:
    """The edit that writes `text`; a plain link of Org gets brackets where it could not hold that."""
    span = case.link.span
    is_plain = case.written.mark == "::" and base.source[span.start : span.start + 1] not in (b"[", b"<")
    if is_plain and _NOT_PLAIN.search(text):
        return Edit(span.start, span.end, f"[[{text}]]")
    return smallest_edit(case.written, text)
