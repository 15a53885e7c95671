"""Editors that do what they are told: real ones by a script, line by line, and one that is a client in this process."""

from __future__ import annotations

import asyncio
import json
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lsp_driver import make_client, names, request, start
from lsprotocol import types


class Scripted:
    """A program that reads orders as lines of JSON and answers each with a line that begins with `=> `."""

    def __init__(self, command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the program runs
        self.program = subprocess.Popen(
            [*map(str, command)],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        assert self.program.stdout is not None
        self.ready = selectors.DefaultSelector()
        self.ready.register(self.program.stdout, selectors.EVENT_READ)
        self.said = b""

    def do(self, what: str, *, seconds: float = 60.0, **order: Any) -> Any:
        """What came of an order."""
        assert self.program.stdin is not None and self.program.stdout is not None
        self.program.stdin.write(json.dumps({"do": what, **order}).encode() + b"\n")
        self.program.stdin.flush()
        end = time.monotonic() + seconds
        while True:
            line, newline, rest = self.said.partition(b"\n")
            if newline:
                self.said = rest
                if line.startswith(b"=> "):
                    return json.loads(line[3:])[0]
                continue
            assert self.ready.select(max(0.0, end - time.monotonic())), f"no answer to {what}: {self.trouble()}"
            more = self.program.stdout.read1(65536)
            assert more, f"ended at {what}: {self.trouble()}"
            self.said += more

    def trouble(self) -> str:
        """What the program wrote to its errors."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def close(self) -> None:
        """Let it come to its end."""
        assert self.program.stdin is not None and self.program.stdout is not None
        self.program.stdin.close()
        try:
            self.program.wait(30)
        finally:
            self.program.kill()
            self.program.wait()
            self.program.stdout.close()
            self.ready.close()
            self.errors.close()


class Client:
    """A client with the abilities of VS Code, on a `khoj-ls` of its own."""

    def __init__(self, notes: Path, environment: Mapping[str, str]) -> None:
        self.notes = notes
        self.loop = asyncio.new_event_loop()
        self.client = make_client()
        self.run(self.client.start_io(sys.executable, "-m", "khoj_ls", cwd=notes, env=dict(environment)))
        self.run(start(self.client, "visual-studio-code", notes))
        self.versions: dict[str, int] = {}

    def run(self, doing: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(doing, 60))

    def do(self, what: str, **order: Any) -> Any:
        """What came of an order."""
        if what == "search":
            return names(self.run(request(self.client, "search", query=order["query"])))
        uri = (self.notes / order["note"]).as_uri()
        path = Path(unquote(urlsplit(uri).path))
        if uri not in self.versions:
            self.versions[uri] = 1
            item = types.TextDocumentItem(uri, "markdown", 1, path.read_text())
            self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
        if what == "open":
            here = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(0, 0))
            return self.run(self.client.text_document_hover_async(here)).contents.value
        if what == "related":
            return names(self.run(request(self.client, "related", **place)))
        text = path.read_text() + order["text"]
        path.write_text(text)
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(version=self.versions[uri], uri=uri)
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
        return None

    def close(self) -> None:
        """Say goodbye."""
        self.run(self.client.shutdown_session())
        self.run(self.client.stop())
        self.loop.close()
