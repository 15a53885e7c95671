"""What a client may say: right messages of every kind, and ways to make them wrong."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

Message = dict[str, Any]

JUNK = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**70), 1.5, 1e308),
    *("", "x", "\0", "\ud800", "é\u2028🦊", "a" * 5000, "../../etc/passwd", "%00", "khoj-ls", "khoj.search"),
    *([], {}, [[]], [None], [{}], {"": None}, {"uri": None}, {"jsonrpc": "2.0"}, {"jsonrpc": "2.0", "id": 1, "method": "exit"}),
)
"""What stands where something else should."""


def places(vault: Path) -> tuple[str, ...]:
    """Documents that are there, are not, and cannot be; nothing outside of the vault's own folder but by name."""
    known = [path.as_uri() for path in sorted(vault.rglob("*.md"))]
    beside = (vault.parent / "elsewhere" / "x.md").as_uri()
    odd = ("untitled:Untitled-1", "", "file://", "file:///%00", "FILE:///x", "http://127.0.0.1/x.md", "file://%zz", "git:/a?b")
    return (*known, f"{vault.as_uri()}/new%20note.md", f"{vault.as_uri()}/..%2f..%2fx.md", f"{vault.as_uri()}#x", beside, *odd)


def right(random: Random, uris: tuple[str, ...]) -> tuple[str, Any, bool]:
    """(method, params, whether it is a request) of a message that is as it should be, or nearly so."""
    uri = random.choice(uris)
    document, place = {"uri": uri}, _position(random)
    span = {"start": place, "end": _position(random)}
    at: Mapping[str, Any] = {"textDocument": document, "position": place}
    text = random.choice(
        ("", "# A\n\nb [[c]] #d\n", "\r\n" * 50, "é\u2028🦊\n" * 200, "[[" * 400, "- " * 300, "\0", "# x\n" * 3000)
    )
    version = random.choice((1, 2, 3, 0, -1, 5, 4, 2**31 - 1))
    item = {"uri": uri, "languageId": random.choice(("markdown", "org", "", "x" * 300)), "version": version, "text": text}
    changes: list[Any] = [{"text": text}] if random.random() < 0.4 else [{"range": span, "text": text[:40]} for _ in range(3)]
    folder = {"uri": random.choice(uris), "name": "x"}
    requests = {
        **{f"textDocument/{name}": at for name in ("hover", "definition", "implementation", "documentHighlight", "completion")},
        **{
            f"textDocument/{name}": {"textDocument": document}
            for name in ("documentSymbol", "documentLink", "foldingRange", "codeLens", "diagnostic")
        },
        "textDocument/prepareRename": at,
        "textDocument/prepareCallHierarchy": at,
        "textDocument/rename": {**at, "newName": text[:20]},
        "textDocument/references": {**at, "context": {"includeDeclaration": True}},
        "textDocument/inlayHint": {"textDocument": document, "range": span},
        "textDocument/codeAction": {"textDocument": document, "range": span, "context": {"diagnostics": []}},
        "workspace/symbol": {"query": text[:50]},
        "workspace/diagnostic": {"previousResultIds": []},
        "workspace/willRenameFiles": {"files": [{"oldUri": uri, "newUri": random.choice(uris)}]},
        "workspace/executeCommand": {
            "command": f"khoj.{_command(random)}",
            "arguments": [random.choice((dict(at), document, {}))],
        },
        "completionItem/resolve": {"label": "x", "data": random.choice(JUNK)},
        "khoj/search": {"query": text[:60], "limit": random.choice((1, 10)), "mode": random.choice(("lexical", "dense", "x"))},
        "khoj/related": dict(at),
        "khoj/links": {**at, "direction": "both"},
        "khoj/status": {},
        "khoj/conversations": {"action": random.choice(("list", "get", "search", "x")), "query": "a"},
        "khoj/completeQuery": {"text": "tag:a ", "cursor": 5},
        "khoj/choices": {},
        "khoj/why": {"path": uri},
        "khoj/nothing": {},
        "x/unknown": {"a": 1},
        "$/unknown": {},
        "textDocument/didOpen": {"textDocument": item},
    }
    notifications = {
        "textDocument/didOpen": {"textDocument": item},
        "textDocument/didChange": {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes},
        "textDocument/didClose": {"textDocument": document},
        "textDocument/didSave": {"textDocument": document},
        "workspace/didChangeConfiguration": {"settings": random.choice(({}, {"khoj_ls": {"search": {"limit": 3}}}, *JUNK))},
        "workspace/didChangeWatchedFiles": {"changes": [{"uri": uri, "type": random.choice((1, 2, 3))}]},
        "workspace/didRenameFiles": {"files": [{"oldUri": uri, "newUri": random.choice(uris)}]},
        "workspace/didChangeWorkspaceFolders": {"event": {"added": [], "removed": [folder]}},
        "$/cancelRequest": {"id": random.choice((1, 2, 3, 4, 5, "x", None))},
        "$/setTrace": {"value": "verbose"},
        "window/workDoneProgress/cancel": {"token": random.choice(("x", 1))},
        "notebookDocument/didClose": {"notebookDocument": document, "cellTextDocuments": []},
        "x/unknown": {},
        "textDocument/hover": dict(at),
    }
    if random.random() < 0.55:
        method = random.choice(sorted(requests))
        return method, copy.deepcopy(requests[method]), True
    method = random.choice(sorted(notifications))
    return method, copy.deepcopy(notifications[method]), False


def spoiled(params: Any, random: Random) -> Any:
    """Something like `params`: a part of it is gone, or is something else."""
    if not isinstance(params, (dict, list)) or not params or random.random() < 0.2:
        return random.choice(JUNK)
    keys = list(params) if isinstance(params, dict) else list(range(len(params)))
    key = random.choice(keys)
    if isinstance(params, dict) and random.random() < 0.25:
        return {name: value for name, value in params.items() if name != key}
    changed = copy.deepcopy(params)
    changed[key] = spoiled(params[key], random)
    return changed


def _position(random: Random) -> dict[str, int]:
    return {"line": random.choice((0, 1, 2, 5, 10**6, 2**31 - 1)), "character": random.choice((0, 1, 3, 80, 10**6, 2**31 - 1))}


def _command(random: Random) -> str:
    return random.choice(("search", "related", "links", "status", "toc", "daily", "chat.file", "nothing", "suggestLinks"))
