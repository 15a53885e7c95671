"""What people do to their notes, at random: write, rename, delete, type into buffers, search, ask, change settings."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from random import Random

from crash.ground import LOST, Ground
from crash.wire import Silent, Wire

from khoj_ls.core.errors import KhojError

_WORDS = (
    "anchor barley candle dune ember fjord granite harbour island juniper kestrel lantern meadow nettle otter pebble quarry "
    "river saddle thistle umber valley willow yarrow zephyr bread router firmware channel garden ledger sailing Übung naïve"
)
WORDS = tuple(_WORDS.split())
FOLDERS = ("", "journal", "work", "work/deep", "garden")
NAMES = tuple(f"{word}{suffix}" for word in WORDS[:16] for suffix in (".md", ".org", ".txt"))
RULES = ("", '[index]\nignore = ["garden/"]\n', '[index]\nprivate = ["journal/"]\n', '[index]\nignore = ["*.txt"]\n')


class Workload:
    """One person at work. The same random numbers make the same notes, at other moments."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self.ground = ground
        self.random = random
        self._count = 0
        self._open: dict[str, int] = {}
        self._editor: Wire | None = None

    def plant(self, count: int) -> None:
        """The notes that are there from the beginning."""
        for _ in range(count):
            self.write()

    def some(self, steps: int) -> None:
        """Do that many things."""
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """Do one thing; that the daemon is gone is no fault of whoever asks it."""
        acts = (
            *(self.write,) * 6,
            *(self.append,) * 5,
            *(self.edit,) * 4,
            *(self.rename,) * 3,
            *(self.type_into_buffer,) * 4,
            *(self.search,) * 3,
            *(self.delete, self.rename_folder, self.delete_folder, self.touch, self.age, self.ask, self.settings, self.close),
        )
        with contextlib.suppress(*LOST, Silent):
            self.random.choice(acts)()

    # -- files --------------------------------------------------------------------------------------------------------

    def text(self, org: bool = False) -> str:
        """A note with headings, links, tags, dates, and words that no other note has."""
        self._count += 1
        mark, parts = "*" if org else "#", []
        if not org and self.random.random() < 0.3:
            parts.append(f"---\ntitle: Note {self._count}\ntags: [{self.random.choice(WORDS)}]\n---\n")
        for section in range(self.random.randint(1, 4)):
            heading = f"{mark * self.random.randint(1, 2)} {self.random.choice(WORDS).title()} {self._count}"
            link = self.random.choice(NAMES)
            body = " ".join(self.random.choices(WORDS, k=self.random.randint(5, 60)))
            linked = (
                f"[[file:{link}][{link}]]"
                if org
                else f"[[{Path(link).stem}]] #{self.random.choice(WORDS)} 2024-03-0{section + 1}"
            )
            parts.append(f"{heading}\n\nmark{self._count}x{section} {body}.\n\n{linked}\n\n")
        return "".join(parts)

    def notes(self) -> list[Path]:
        """All there are."""
        return sorted(path for path in self.ground.vault.rglob("*.*") if path.is_file() and not path.name.startswith("."))

    def write(self) -> None:
        path = self.ground.vault / self.random.choice(FOLDERS) / self.random.choice(NAMES)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and self.random.random() < 0.5:
            # As editors save: another file takes its place.
            scratch = path.with_name(f".{path.name}.tmp")
            scratch.write_text(self.text(path.suffix == ".org"))
            scratch.replace(path)
        else:
            path.write_text(self.text(path.suffix == ".org"))

    def append(self) -> None:
        if path := self._any():
            with path.open("a") as stream:
                stream.write(self.text(path.suffix == ".org"))

    def edit(self) -> None:
        if path := self._any():
            lines = path.read_text().splitlines(keepends=True)
            if lines:
                lines[self.random.randrange(len(lines))] = f"{' '.join(self.random.choices(WORDS, k=6))}\n"
                path.write_text("".join(lines))

    def rename(self) -> None:
        if path := self._any():
            target = self.ground.vault / self.random.choice(FOLDERS) / self.random.choice(NAMES)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    def rename_folder(self) -> None:
        source, target = (self.ground.vault / self.random.choice(FOLDERS[1:]) for _ in range(2))
        if source.is_dir() and not target.exists() and source not in target.parents:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)

    def delete(self) -> None:
        if path := self._any():
            path.unlink()

    def delete_folder(self) -> None:
        if len(self.notes()) > 12:
            shutil.rmtree(self.ground.vault / self.random.choice(FOLDERS[1:]), ignore_errors=True)

    def touch(self) -> None:
        if path := self._any():
            path.touch()

    def age(self) -> None:
        """New content with another time: the clock may have been anywhere."""
        if path := self._any():
            path.write_text(self.text(path.suffix == ".org"))
            when = self.random.choice((0, 1, 10**9, time.time() + 10**7, 2**31 + 5))
            os.utime(path, (when, when))

    # -- the program --------------------------------------------------------------------------------------------------

    def type_into_buffer(self) -> None:
        path = self._any()
        if path is None:
            return
        uri, editor = path.as_uri(), self.ground.editor()
        if editor is not self._editor:
            self._editor = editor
            self._open.clear()
        if uri not in self._open:
            self._open[uri] = 1
            item = {"uri": uri, "languageId": "markdown", "version": 1, "text": path.read_text()}
            editor.notify("textDocument/didOpen", {"textDocument": item})
        self._open[uri] += 1
        document = {"uri": uri, "version": self._open[uri]}
        change = {"textDocument": document, "contentChanges": [{"text": self.text()}]}
        editor.notify("textDocument/didChange", change)
        if self.random.random() < 0.3:
            editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self) -> None:
        """Close all buffers: the files stand for themselves again when this returns."""
        session = self.ground.session
        for uri in self._open if session else ():
            session.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        self._open.clear()
        if session:
            with contextlib.suppress(Silent):  # it was killed, or its daemon was
                session.ask("khoj/status", {})

    def search(self) -> None:
        query, mode = " ".join(self.random.choices(WORDS, k=3)), self.random.choice(("lexical", "dense", "hybrid"))
        with contextlib.suppress(KhojError):
            self.ground.ask("search", query=query, mode=mode)

    def ask(self) -> None:
        with contextlib.suppress(KhojError):
            self.ground.chat(f"What about the {self.random.choice(WORDS)} of day {self._count}?")

    def settings(self) -> None:
        (self.ground.vault / ".khoj.toml").write_text(self.random.choice(RULES))
        # The rules of a vault are read when it is opened.
        self.ground.stop()

    def _any(self) -> Path | None:
        notes = self.notes()
        return self.random.choice(notes) if notes else None
