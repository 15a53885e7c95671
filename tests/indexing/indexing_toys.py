"""A toy content processor, chunker and encoder: small enough to be right, and they do what real ones must not."""

from __future__ import annotations

import os
import random
import signal
import struct
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from khoj_ls.core.text import decode_source, text_lines
from khoj_ls.core.types import Chunk, Entry, Link, ParsedFile, Span
from khoj_ls.indexing.models import ModelInfo
from khoj_ls.store.chunks import chunk_hash

DIMENSIONS = 4
TOOLS = "indexing_toys:tools"


class ToyProcessor:
    """Headings begin with `# `. A line that begins with `!!` misbehaves."""

    name = "toy"
    extensions = (".md",)
    priority = 0

    def parse(self, data: bytes, path: str) -> ParsedFile:
        text, problems = decode_source(data)
        misbehave(text)
        entries: list[Entry] = []
        start = line = 0
        lines = text_lines(text)
        for number in range(1, len(lines) + 1):
            if number == len(lines) or lines[number].startswith("# "):
                entries.append(entry(lines[line:number], start, line + 1, number))
                start += len("".join(lines[line:number]).encode())
                line = number
        title = lines[0][7:].strip() if text.startswith("title: ") else None
        return ParsedFile("toy", title, tuple(entries), private="PRIVATE" in text, problems=problems)


def entry(lines: list[str], start: int, line: int, end_line: int) -> Entry:
    raw = "".join(lines)
    span = Span(start, start + len(raw.encode()), line, end_line)
    heading = lines[0][2:].strip() if lines[0].startswith("# ") else ""
    links = tuple(Link("wikilink", word[2:-2], None, span) for word in raw.split() if word.startswith("[["))
    text = "\n" + "".join(lines[1:]) if heading else raw
    return Entry(span, int(bool(heading)), heading, (), None, raw, text, links=links, private="PRIVATE" in raw)


def misbehave(text: str) -> None:
    if "!!hang" in text:
        time.sleep(3600)  # what hangs: the parser must be ended
    if "!!crash" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "!!bloat" in text:
        bytearray(1 << 40)
    if "!!raise" in text:
        raise RuntimeError("toy fault")
    if "!!print" in text:
        os.write(1, b"noise on standard output\n")


class SlowToyProcessor(ToyProcessor):
    """Reads what takes long."""

    name = "slow"
    extensions = (".slow",)
    slow = True


class ToyRegistry:
    """Knows one processor."""

    def __init__(self) -> None:
        self.processor = ToyProcessor()
        self.slow = SlowToyProcessor()
        self.readers: dict[str, str] = {}
        """What reads a path now, where that was changed."""

    def extensions(self) -> frozenset[str]:
        return frozenset({".md", ".slow"})

    def for_path(self, path: str) -> ToyProcessor | None:
        return self.slow if path.lower().endswith(".slow") else self.processor if path.lower().endswith(".md") else None

    def reader(self, path: str) -> str:
        return self.readers.get(path, "toy 1")


class Tools:
    """What the worker works with."""

    def __init__(self, on_read=lambda: None) -> None:
        self.on_read = on_read

    def parse(self, data: bytes, path: str, without_hooks: Sequence[str] = ()) -> ParsedFile:
        for _ in range(data.count(b"!!long")):
            self.on_read()
        return ToyProcessor().parse(data, path)

    def hook_calls(self) -> tuple[()]:
        return ()

    def cut(self, title, entries, tokenizer, max_tokens) -> list[Chunk]:
        if any("!!uncut" in entry.raw for entry in entries):
            raise RuntimeError("toy fault")
        return [
            Chunk(
                i,
                i,
                i,
                entry.span,
                f"{tokenizer}{title}\n{entry.heading}\n{entry.text}",
                len(entry.text) // 4 + 2,
                entry.private,
            )
            for i, entry in enumerate(entries)
        ]


def tools(order, on_read) -> Tools:
    return Tools(on_read)


def vector(text: str) -> bytes:
    numbers = random.Random(chunk_hash(text))
    values = [numbers.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(value * value for value in values) ** 0.5
    return struct.pack(f"<{DIMENSIONS}f", *(value / length for value in values))


class ToyEncoder:
    """Counts what it embeds; `open` holds it back, `fault` makes it fail."""

    def __init__(self, name: str = "toy-1", *, tokenizer: str = "", remote: str = "", log: Path | None = None) -> None:
        self.name = name
        self.tokenizer = tokenizer
        self.remote = remote
        self.log = log
        self.texts: list[str] = []
        self.asked = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.fault: Exception | None = None

    def info(self) -> ModelInfo:
        return ModelInfo(self.name, self.name, DIMENSIONS, f"chunker{self.tokenizer}", self.tokenizer, 256, self.remote)

    def embed_documents(self, texts) -> list[bytes]:
        self.asked.set()
        self.open.wait(30)
        if self.fault:
            raise self.fault
        self.texts += texts
        if self.log:
            with self.log.open("a") as stream:
                stream.writelines(f"{chunk_hash(text).hex()}\n" for text in texts)
        return [vector(text) for text in texts]
