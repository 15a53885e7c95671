"""How a turn is shown: drawn on a terminal, as plain text, as Markdown for a note, or one event a line for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import click

from khoj_ls.cli.chatting.events import Event
from khoj_ls.cli.chatting.words import asides, cited, found, heading_of, link_to, place_of, taken
from khoj_ls.cli.output import json_bytes, note, printable

FORMATS = ("auto", "rich", "plain", "markdown")
_MOST_UNCITED = 5


class View(Protocol):
    """Shows one turn. `end` is called once, whatever happened."""

    def show(self, event: Event) -> None:
        """Show an event; `done` or `failed` is the last."""
        ...

    def end(self) -> None:
        """Leave the terminal as it should be."""
        ...


def view_for(form: str, root: Path, *, as_json: bool) -> View:
    """The view for `--format`; `auto` draws on a terminal and writes plain text elsewhere."""
    if as_json:
        return Lines()
    if form == "rich" or (form == "auto" and sys.stdout.isatty()):
        from khoj_ls.cli.chatting.live import Live

        return Live(root)
    return Text(root, links=form == "markdown")


class Lines:
    """One event a line, as it comes."""

    def show(self, event: Event) -> None:
        """Print it."""
        click.echo(json_bytes(dict(event)))
        sys.stdout.flush()

    def end(self) -> None:
        """Nothing is left to do."""


class Text:
    """The answer as it arrives, then the passages that it cites; with `links` these are Markdown links."""

    def __init__(self, root: Path, *, links: bool = False) -> None:
        """Show passages of the vault at `root`."""
        self._root = root
        self._links = links
        self._begun = time.monotonic()
        self._sources: tuple[Mapping[str, Any], ...] = ()
        self._open_line = False

    def show(self, event: Event) -> None:
        """Print it."""
        kind = event["kind"]
        if kind == "sources":
            self._sources = tuple(event["sources"])
            for message in found(event):
                note(message)
        elif kind == "delta":
            self._write(event["text"])
        elif kind == "done":
            self.end()
            self._done(event)
        elif kind == "failed":
            self.end()
            tell_failure(event)

    def end(self) -> None:
        """End the line that is being written."""
        if self._open_line:
            click.echo()
            self._open_line = False

    def _write(self, text: str) -> None:
        click.echo("\n".join(printable(line) for line in text.replace("\t", "    ").split("\n")), nl=False)
        sys.stdout.flush()
        self._open_line = not text.endswith("\n")

    def _done(self, event: Event) -> None:
        if named := cited(event, self._sources):
            click.echo()
        for source in named:
            if self._links:
                heading = heading_of(source).replace("[", "\\[").replace("]", "\\]")
                spot = printable(source.get("place") or f"line {source['line']}")
                click.echo(f"- \\[{source['number']}\\] [{heading}]({link_to(self._root, source)}), {spot}")
            else:
                click.echo(f"[{source['number']}] {place_of(self._root, source)} - {heading_of(source)}")
        tell_rest(self._root, event, self._sources, time.monotonic() - self._begun)


def tell_rest(root: Path, done: Event, sources: tuple[Mapping[str, Any], ...], seconds: float) -> None:
    """Tell on stderr what belongs to an answer and is not part of it."""
    if done["model"] and sources and not done["citations"]:
        note("the answer names no passage; it was given:")
        for source in sources[:_MOST_UNCITED]:
            note(f"  {place_of(root, source)} - {heading_of(source)}")
        if len(sources) > _MOST_UNCITED:
            note(f"  and {len(sources) - _MOST_UNCITED} more")
    for message in (*asides(done), taken(done, seconds)):
        if message:
            note(message)


def tell_failure(event: Event) -> None:
    """Tell on stderr why there is no answer, or no more of it."""
    stopped = event["code"] == "khoj.cancelled"
    message = printable(" ".join(event["message"].split()))
    click.secho(f"khoj-ls: {message}", err=True, fg=None if stopped else "red")
