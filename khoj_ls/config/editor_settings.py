"""What the editor shows beside the text: hovers, lenses, hints, diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

from khoj_ls.config.setting import setting


@dataclass(frozen=True)
class HoverSettings:
    """What is shown where the mouse or the cursor rests."""

    prose: bool = setting(
        False, "session", "Show backlinks and related notes on any text, not on headings, titles and links only."
    )


@dataclass(frozen=True)
class LensSettings:
    """Lines between the lines that say how often a note is linked to."""

    note: bool = setting(True, "session", "Show how many links lead to a note, above its title.")
    headings: bool = setting(False, "session", "Show the same above every heading that is linked to.")
    related: bool = setting(False, "session", "Show also how many notes are near in meaning.")


@dataclass(frozen=True)
class InlaySettings:
    """The same, at the end of the line."""

    note: bool = setting(False, "session", "Show how many links lead to a note, behind its title.")
    headings: bool = setting(False, "session", "Show the same behind every heading that is linked to.")
    related: bool = setting(False, "session", "Show also how many notes are near in meaning.")


_SEVERITIES = ("off", "hint", "information", "warning", "error")


@dataclass(frozen=True)
class DiagnosticsSettings:
    """How seriously each kind of mistake in links and ids is taken; `off` is not looked for."""

    broken_link: str = setting("warning", "session", "Links that lead to no note or file.", choices=_SEVERITIES)
    broken_anchor: str = setting(
        "warning", "session", "Links to a heading, block or other place that the note does not have.", choices=_SEVERITIES
    )
    ambiguous_link: str = setting(
        "information", "session", "Links that may mean several notes, where the tool has no rule.", choices=_SEVERITIES
    )
    duplicate_id: str = setting("warning", "session", "Ids that are given more than once.", choices=_SEVERITIES)
    orphan: str = setting("off", "session", "Notes that no other note links to.", choices=_SEVERITIES)
    rest_seconds: float = setting(
        1.0, "session", "A link that is being written is not judged before the text has rested so long.", least=0, most=60
    )
