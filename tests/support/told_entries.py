"""A parsed file as lines that can be read beside its source."""

from __future__ import annotations

from khoj_ls.content.registry import default_registry, parse_file
from khoj_ls.core.places import spoken
from khoj_ls.core.types import ParsedFile


def read(data: str | bytes, path: str) -> ParsedFile:
    """Parse `data` as the built-in processor for `path` does."""
    return parse_file(default_registry(third_party=False), data.encode() if isinstance(data, str) else data, path)


def told(parsed: ParsedFile) -> list[str]:
    """An entry a line: its lines, `#` for each level and its heading, its place in brackets, its text."""
    return [
        " ".join(
            filter(
                None,
                [
                    f"{entry.span.line}-{entry.span.end_line}",
                    f"{'#' * entry.level} {entry.heading}" if entry.heading else "",
                    f"[{spoken(entry.place)}]" if entry.place else "",
                    f": {' / '.join(line.strip() for line in entry.text.splitlines() if line.strip())}",
                ],
            )
        ).rstrip()
        for entry in parsed.entries
    ]


def links_of(parsed: ParsedFile) -> list[tuple[str, str, str | None, int]]:
    """Kind, target, label and line of every link."""
    return [(link.kind, link.target, link.label, link.span.line) for entry in parsed.entries for link in entry.links]


def anchors_of(parsed: ParsedFile) -> list[tuple[str, str, int]]:
    """Name, entry's heading and line of every anchor that is no heading."""
    return [
        (anchor.name, entry.heading, anchor.span.line)
        for entry in parsed.entries
        for anchor in entry.anchors
        if anchor.kind != "heading"
    ]
