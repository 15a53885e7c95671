"""A turn drawn on a terminal: what is settled is printed for good, the block that still grows is drawn again and again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live as Region
from rich.spinner import Spinner
from rich.text import Text

from khoj_ls.cli.chatting.events import Event
from khoj_ls.cli.chatting.markdown import Drawn, last_part, settled
from khoj_ls.cli.chatting.render import tell_failure, tell_rest
from khoj_ls.cli.chatting.words import cited, found, heading_of, place_of
from khoj_ls.cli.output import note, printable

_PER_SECOND = 10
_KEPT_LINES = 3
"""Lines of the terminal that the growing block leaves free."""


class Live:
    """The answer as Markdown, its citations marked, and the passages that it cites below."""

    def __init__(self, root: Path, console: Console | None = None) -> None:
        """Show passages of the vault at `root`."""
        self._root = root
        self._console = console or Console(highlight=False, soft_wrap=False)
        self._region = Region(console=self._console, refresh_per_second=_PER_SECOND, transient=True, redirect_stdout=False)
        self._begun = time.monotonic()
        self._sources: tuple[Mapping[str, Any], ...] = ()
        self._asides: list[str] = []
        self._growing = ""
        self._printed = False
        self._draw(Spinner("dots", Text("looking through your notes", style="dim")))
        self._region.start()

    def show(self, event: Event) -> None:
        """Draw it."""
        kind = event["kind"]
        if kind == "sources":
            self._sources = tuple(event["sources"])
            self._asides = list(found(event))
        elif kind == "status":
            self._wait(event["message"])
        elif kind == "delta":
            self._grow(event["text"])
        else:
            self.end()
            if kind == "done":
                self._done(event)
            else:
                tell_failure(event)

    def end(self) -> None:
        """Print what is still being drawn."""
        if self._region.is_started:
            self._region.update("")
            self._region.stop()
        if self._growing.strip():
            self._print(self._growing)
        self._growing = ""
        for message in self._asides:
            note(message)
        self._asides = []

    def _wait(self, message: str) -> None:
        if not self._growing:
            self._draw(Spinner("dots", Text(printable(message), style="dim")))

    def _grow(self, text: str) -> None:
        self._growing += text
        if end := settled(self._growing):
            self._print(self._growing[:end])
            self._growing = self._growing[end:]
        lines = max(1, self._console.height - _KEPT_LINES)
        # It is drawn with every piece: what does not fit on the terminal is not even read.
        self._draw(Drawn(last_part(self._growing, lines), last_lines=lines))

    def _print(self, text: str) -> None:
        if self._printed:
            self._console.print()
        self._console.print(Drawn(text))
        self._printed = True

    def _draw(self, what: RenderableType) -> None:
        self._region.update(what)

    def _done(self, event: Event) -> None:
        if named := cited(event, self._sources):
            self._console.print()
        for source in named:
            self._console.print(
                Text.assemble(
                    (f"[{source['number']}]", "bold cyan"),
                    " ",
                    (place_of(self._root, source), "magenta"),
                    (f" - {heading_of(source)}", "dim"),
                ),
                soft_wrap=True,
            )
        tell_rest(self._root, event, self._sources, time.monotonic() - self._begun)
