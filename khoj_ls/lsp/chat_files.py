"""Chat files of a session: where they are kept, which open document is one, and how a new one comes to be.

They lie below `<state>/chats/`, one folder for each vault, readable by the user alone: they quote notes.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote

from lsprotocol import types

from khoj_ls.chat.file.context import Given, preamble_for
from khoj_ls.chat.file.layout import (
    SUFFIXES,
    Change,
    ChatFile,
    Format,
    Head,
    Part,
    format_file,
    format_of,
    new_mark,
    parse_file,
)
from khoj_ls.config.paths import Folders
from khoj_ls.core.errors import UsageError
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import KhojServer
from khoj_ls.vaults import to_path

_LONGEST_NAME = 60


@dataclass(frozen=True)
class OpenChat:
    """A chat file that the session shows, as it stands now."""

    uri: str
    version: int | None
    file: ChatFile
    positions: Positions

    @property
    def root(self) -> Path:
        """Root of the vault that is asked. Raises UsageError where the head does not say it."""
        root = Path(self.file.head.vault)
        if not root.is_absolute() or not root.is_dir():
            raise UsageError(f"the line `vault` of this chat names no folder: {self.file.head.vault or 'nothing'}")
        return root

    def position(self, offset: int) -> types.Position:
        """Position of a character offset."""
        return self.positions.position(len(self.file.text[:offset].encode(errors="replace")))

    def range(self, start: int, end: int) -> types.Range:
        """Range of the characters [start, end)."""
        return types.Range(start=self.position(start), end=self.position(end))

    def offset(self, position: types.Position) -> int:
        """Character offset of a position."""
        return len(self.file.text.encode(errors="replace")[: self.positions.offset(position)].decode(errors="ignore"))

    def text_edit(self, change: Change) -> types.TextEdit:
        """A change as the client makes it."""
        return types.TextEdit(range=self.range(change.start, change.end), new_text=change.text)


def key_of(uri: str) -> str:
    """A URI in one way of writing, whichever a client chooses; pygls keeps documents by it."""
    return unquote(uri)


def chats_folder(folders: Folders) -> Path:
    """Where chat files are kept."""
    return folders.state / "chats"


def open_chat(server: KhojServer, uri: str) -> OpenChat | None:
    """The chat file at `uri` as the session shows it; None for any other document, and where it is not open."""
    document = server.workspace.text_documents.get(key_of(uri))
    if document is None or not _is_kept(server.session.vaults.folders, uri):
        return None
    text = document.source
    file = parse_file(text, format_of(uri))
    return OpenChat(document.uri, document.version, file, Positions(text, server.workspace.position_codec)) if file else None


def the_chat(server: KhojServer, uri: str) -> OpenChat:
    """The chat file at `uri`. Raises UsageError where the session shows none there."""
    chat = open_chat(server, uri)
    if chat is None:
        raise UsageError(f"{uri} is no chat file that is open: khoj.chat.file begins one")
    return chat


def create_chat(
    folders: Folders, root: Path, format: Format, title: str, head: Head, given: Given | None, message: str = ""
) -> tuple[Path, int]:
    """Write a new chat file; its path, and its last line from 0, where the user writes. Raises OSError."""
    folder = chats_folder(folders) / folders.vault(root).name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    preamble = preamble_for(format, head.mark, root, given)
    text = format_file(format, head, title, preamble, [Part("you", message)])
    text += "" if message else "\n"
    name = f"{date.today().isoformat()}-{_name_of(title)}"
    for number in range(1, 10_000):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}{SUFFIXES[format]}"
        try:
            with os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
            ) as out:
                out.write(text)
        except FileExistsError:
            continue
        return path, text.count("\n") - 1
    raise OSError(f"{folder} has too many chats called {name}")


def new_head(root: Path, persona: str, model: str) -> Head:
    """The head of a new chat."""
    return Head(new_mark(), str(root), persona, model)


def _is_kept(folders: Folders, uri: str) -> bool:
    try:
        path = to_path(uri)
    except UsageError:
        return False
    kept = chats_folder(folders)
    return kept in path.parents or Path(os.path.realpath(kept)) in Path(os.path.realpath(path)).parents


def _name_of(title: str) -> str:
    """A title as part of a file name."""
    return re.sub(r"[\W_]+", "-", title.lower()).strip("-")[:_LONGEST_NAME].rstrip("-") or "chat"
