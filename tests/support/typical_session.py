"""A day of khoj-ls, as a program: every verb, an editor, a chat model on loopback that answers well and badly, a webhook.

    python typical_session.py HOME VAULT REPORT

All of it is one tree of processes, so that it can run where there is no network but loopback, and what it tried be counted. The
report is JSON: `said`, what each program printed, by its command line; `sent`, what the chat model was sent; `tried`, how many
packets the kernel had no way for (null where it does not count).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chat_server import ChatServer, Reply

KEY, KEPT_KEY = "sk-canary-4f1b97aa20", "whsec-canary-77c0de4e9d"
PUBLIC, PRIVATE = "heliotropewidget", "zanzibarquux"
NOTES = {
    ".khoj.toml": "",
    "boat.md": f"# The boat\n\nOur boat is called {PUBLIC}. See [[bread]] and [[gone]].\n",
    "bread.org": f"#+title: Bread\n* Starter\nRye flour and {PUBLIC} at noon.\n",
    "diary.md": f"# Diary\n\nNobody may know of {PRIVATE}, not even the boat.\n",
    "broken.md": "\x00" * 2000 + PUBLIC,
}
SETTINGS = """
[index]
private = ["diary.md"]
[daemon]
log_level = "debug"
[chat]
model = "openai/gpt-4o-mini"
providers.openai.base_url = "{url}"
[[webhooks]]
name = "home"
url = "http://127.0.0.1:9/"
events = ["index.completed", "search.completed", "chat.completed"]
secret_variable = "WEBHOOK_KEY"
"""
ANSWERS = ("The boat is called so [1].", Reply(status=401, error=f"Incorrect API key provided: {KEY}"), Reply(garbage_after=1))
VERBS = (
    "index",
    f"search {PUBLIC}",
    f"search --mode lexical {PRIVATE}",
    f"search tag:{PRIVATE} title:(",
    "related {vault}/boat.md",
    "links --broken",
    f"chat --no-subqueries what is {PUBLIC} called",
    "chat --no-subqueries and again",
    "chat --no-subqueries and once more",
    f"chat --model none {PRIVATE}",
    "chat --model anthropic/claude-sonnet-4-5 what is it called",
    "conversations list",
    "models",
    "status",
    "doctor",
    "webhooks test",
    "webhooks deliveries",
    "config show",
    "daemon logs -n 100000",
)


def main(home: Path, vault: Path, report: Path) -> None:
    """Live the day and write the report."""
    for name, text in NOTES.items():
        vault.joinpath(name).write_text(text)
    with ChatServer(ANSWERS) as server:
        settings = home / "config" / "config.toml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(SETTINGS.format(url=server.url))
        os.environ.update(KHOJ_LS_HOME=str(home), OPENAI_API_KEY=KEY)
        said = {"key": _run("config", "key", "WEBHOOK_KEY", cwd=vault, typed=KEPT_KEY)}
        try:
            for line in VERBS:
                said[line] = _run(*line.format(vault=vault).split(), cwd=vault)
            said["lsp"] = _editor(vault)
        finally:
            said["stop"] = _run("daemon", "stop", cwd=vault)
        sent = [request.text for request in server.requests]
    report.write_text(json.dumps({"said": said, "sent": sent, "tried": _without_a_way()}))


def _run(*arguments: str, cwd: Path, typed: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "khoj_ls", *arguments], cwd=cwd, input=typed, capture_output=True, text=True, errors="replace"
    )
    return done.stdout + done.stderr


def _editor(vault: Path) -> str:
    """What the language server says to an editor that opens a note, looks around in it, changes it and searches."""
    uri = (vault / "boat.md").as_uri()
    document, place = {"textDocument": {"uri": uri}}, {"position": {"line": 2, "character": 40}}
    opened = {"uri": uri, "languageId": "markdown", "version": 1, "text": NOTES["boat.md"]}
    changed = {"uri": uri, "version": 2}
    asked = [
        ("textDocument/hover", {**document, **place}),
        ("textDocument/completion", {**document, **place}),
        ("textDocument/definition", {**document, **place}),
        ("workspace/symbol", {"query": f"? {PUBLIC}"}),
        ("khoj/search", {"query": PRIVATE}),
        ("khoj/related", {**document, **place}),
        ("khoj/status", {}),
        ("khoj/ask", {"message": "what is it called"}),
        ("khoj/nothing", {"query": PRIVATE}),
    ]
    frames = [
        {"id": 0, "method": "initialize", "params": {"processId": None, "rootUri": vault.as_uri(), "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": opened}},
        {"method": "textDocument/didChange", "params": {"textDocument": changed, "contentChanges": [{"text": "# The boat\n"}]}},
        *({"id": number, "method": method, "params": params} for number, (method, params) in enumerate(asked, 1)),
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "khoj_ls"], cwd=vault, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stdout
    waiting, said = set(range(len(asked) + 1)), []
    for frame in frames:
        _send(process.stdin, frame)
    for message in _messages(process.stdout):
        said.append(json.dumps(message, ensure_ascii=False))
        if "method" in message and "id" in message:
            _send(process.stdin, {"id": message["id"], "result": None})
        elif "id" in message:
            waiting.discard(message["id"])
            if not waiting:
                break
    _send(process.stdin, {"id": 99, "method": "shutdown"})
    _send(process.stdin, {"method": "exit"})
    rest, errors = process.communicate()
    return "\n".join([*said, rest.decode(errors="replace"), errors.decode(errors="replace")])


def _send(stream: Any, message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    stream.flush()


def _messages(stream: Any) -> Iterator[dict[str, Any]]:
    length = 0
    while line := stream.readline():
        if line.startswith(b"Content-Length:"):
            length = int(line.partition(b":")[2])
        elif line == b"\r\n":
            yield json.loads(stream.read(length))


def _without_a_way() -> int | None:
    """Packets and connections that found no route, of this network namespace; native code is counted too."""
    found = None
    with contextlib.suppress(OSError):
        names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
        found = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
        for line in Path("/proc/net/snmp6").read_text().splitlines():
            if line.startswith("Ip6OutNoRoutes"):
                found += int(line.split()[1])
    return found


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
