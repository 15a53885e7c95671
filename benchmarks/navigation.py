"""How long an editor waits for definition, references, hover and the rest, at real places of a vault.

    python -m benchmarks.navigation ~/notes                    # beside the backlog that is being embedded
    python -m benchmarks.navigation ~/notes --embedded         # once everything has its vector
    python -m benchmarks.navigation ~/notes --made-up          # the same in minutes: with vectors that no model made
    python -m benchmarks.navigation ~/notes --made-up --keep ~/scratch   # the index is kept there for the next run

Places are links and headings of notes chosen by a seed; each note is opened as an editor opens it. Handlers are called in this
process, so that the wire is not measured. Goals at 10,000 notes: definition, hover and related p95 15 ms, completion 50 ms.
The vault is copied, never changed. Beside the time of the clock (`p95`) stands the processor time of this process (`cpu_p95`),
which other work on the machine lengthens less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, cast

from lsprotocol import types

from benchmarks.made_up import MadeUpVaults
from khoj_ls.config.editor_settings import InlaySettings, LensSettings
from khoj_ls.config.paths import Folders, folders
from khoj_ls.config.settings import Settings
from khoj_ls.daemon.run import SWITCH_SECONDS
from khoj_ls.graph.open_note import OpenNote
from khoj_ls.graph.spots import heading_place
from khoj_ls.lsp.build import create_server
from khoj_ls.lsp.positions import Positions
from khoj_ls.lsp.server import KhojServer
from khoj_ls.lsp.text_document import NoteWorkspace
from khoj_ls.vault import Vault
from khoj_ls.vaults import OpenVaults

RELATED = "khoj/related"
GOALS_MS = {
    types.TEXT_DOCUMENT_DEFINITION: 15.0,
    types.TEXT_DOCUMENT_HOVER: 15.0,
    types.TEXT_DOCUMENT_COMPLETION: 50.0,
    RELATED: 15.0,
}
_PER_NOTE = 2


async def measure(server: KhojServer, vault: Vault, notes: int, seed: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds by the clock and of the processor, by request; `notes` of the vault are opened one after the other."""
    numbers = random.Random(seed)
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    files = sorted(path for path in vault.root.rglob("*.*") if path.suffix in (".md", ".org"))
    for file in numbers.sample(files, min(notes, len(files))):
        uri = file.as_uri()
        text = file.read_bytes().decode(errors="replace").removeprefix("\ufeff")
        server.workspace.put_text_document(types.TextDocumentItem(uri=uri, language_id="markdown", version=1, text=text))
        positions = Positions(text, server.workspace.position_codec)
        note = vault.note(file, text)
        asked: list[tuple[str, str, Any]] = [
            (f"{method} on a {spot}", method, params)
            for spot, offset in places(note, numbers)
            for method, params in requests(uri, positions.position(offset))
        ]
        asked.append((f"{RELATED} of a note", RELATED, {"textDocument": {"uri": uri}}))
        written = [link.span.end - 1 for link in note.links if link.kind in ("markdown", "wikilink", "file")]
        for offset in numbers.sample(written, min(_PER_NOTE, len(written))):
            caret = types.CompletionParams(types.TextDocumentIdentifier(uri), positions.position(offset))
            asked.append((f"{types.TEXT_DOCUMENT_COMPLETION} in a link", types.TEXT_DOCUMENT_COMPLETION, caret))
        for name, method, params in asked:
            begun, worked = time.perf_counter(), time.process_time()
            await cast(Awaitable[Any], server.protocol.fm.features[method](params))
            times[name].append(((time.perf_counter() - begun) * 1000, (time.process_time() - worked) * 1000))
        server.workspace.remove_text_document(uri)
    return times


def places(note: OpenNote, numbers: random.Random) -> list[tuple[str, int]]:
    """A few links and headings of a note: what, and at which byte."""
    links = [link.span.start + 2 for link in note.links if link.kind not in ("tag", "url")]
    headings = [
        place.span.start + 2 for at, entry in enumerate(note.parsed.entries) if (place := heading_place(entry, at)) is not None
    ]
    chosen = [("link", at) for at in numbers.sample(links, min(_PER_NOTE, len(links)))]
    return chosen + [("heading", at) for at in numbers.sample(headings, min(_PER_NOTE, len(headings)))]


def requests(uri: str, position: types.Position) -> list[tuple[str, object]]:
    """What an editor asks at a place, and of the document around it."""
    document = types.TextDocumentIdentifier(uri=uri)
    context = types.ReferenceContext(include_declaration=True)
    here = {"line": position.line, "character": position.character}
    return [
        (types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(text_document=document, position=position)),
        (types.TEXT_DOCUMENT_HOVER, types.HoverParams(text_document=document, position=position)),
        (
            types.TEXT_DOCUMENT_REFERENCES,
            types.ReferenceParams(text_document=document, position=position, context=context),
        ),
        (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, types.DocumentHighlightParams(text_document=document, position=position)),
        (types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkParams(text_document=document)),
        (types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(text_document=document)),
        (types.TEXT_DOCUMENT_IMPLEMENTATION, types.ImplementationParams(text_document=document, position=position)),
        (RELATED, {"textDocument": {"uri": uri}, "position": here}),
    ]


def summary(times: dict[str, list[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """Median, 95th percentile and maximum by request; median and 95th percentile of the processor time."""
    return {
        name: {
            "n": len(clock),
            "p50": round(statistics.median(clock), 2),
            "p95": round(_p95(clock), 2),
            "max": round(max(clock), 2),
            "cpu_p50": round(statistics.median(worked), 2),
            "cpu_p95": round(_p95(worked), 2),
        }
        for name, found in sorted(times.items())
        for clock, worked in [tuple(zip(*found, strict=True))]
    }


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]


def index(vault: Vault, *, embedded: bool) -> None:
    """Wait for the words of all notes, or for their meaning too."""
    vault.index(wait=embedded)
    while not embedded and vault.status().phase in ("scan", "words"):
        time.sleep(0.05)


async def run(options: argparse.Namespace, home: Path) -> dict[str, object]:
    """Copy, index, measure."""
    root = home / "vault"
    own = Folders(home / "config", home / "data", home / "state", home / "run")
    if not root.exists():
        shutil.copytree(options.vault, root, symlinks=True)
        own.data.mkdir()
        own.models.symlink_to(folders().models)
    settings = Settings(lens=LensSettings(headings=True), inlay=InlaySettings(note=True))
    vaults = (MadeUpVaults if options.made_up else OpenVaults)(settings, own, watch=False)
    server = create_server(vaults)
    try:
        vault = vaults.open(root, exact=True)
        index(vault, embedded=options.embedded or options.made_up)
        server.protocol.client_capabilities = types.ClientCapabilities()
        sync = types.TextDocumentSyncKind.Incremental
        server.protocol._workspace = NoteWorkspace(root.as_uri(), sync, [], "utf-16")
        before = vault.status()
        times = await measure(server, vault, options.notes, options.seed)
        state = {"notes": before.files, "phase": before.phase, "coverage": round(before.coverage, 3)}
        return {**state, "coverage_after": round(vault.status().coverage, 3), "ms": summary(times)}
    finally:
        server.release_all()
        vaults.close()


def main() -> int:
    """Run it; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault", type=Path)
    parser.add_argument("--notes", type=int, default=100, help="how many notes to open")
    parser.add_argument("--embedded", action="store_true", help="wait until every passage has its vector")
    parser.add_argument("--made-up", action="store_true", help="as --embedded, with vectors made up from the notes' words")
    parser.add_argument("--keep", type=Path, help="folder for the copy and its index, used again when it is there")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_SECONDS)  # as in the daemon
    with tempfile.TemporaryDirectory() as scratch:
        home = options.keep or Path(scratch)
        home.mkdir(exist_ok=True)
        result = asyncio.run(run(options, home.resolve()))
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    measured = cast(dict[str, dict[str, float]], result["ms"])
    missed = [name for name, each in measured.items() if each["p95"] > GOALS_MS.get(name.partition(" ")[0], float("inf"))]
    sys.stdout.write(f"missed: {', '.join(missed) or 'none'}\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
