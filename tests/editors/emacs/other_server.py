"""A language server that serves nothing: what khoj-ls lives beside in lsp-mode."""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Answer every request with nothing until `exit` (LSP 3.17, base protocol)."""
    while header := sys.stdin.buffer.readline():
        if not header.lower().startswith(b"content-length:"):
            continue
        length = int(header.split(b":")[1])
        while sys.stdin.buffer.readline().strip():
            continue
        message = json.loads(sys.stdin.buffer.read(length))
        if message.get("method") == "exit":
            return
        if "id" in message and "method" in message:
            result = {"capabilities": {}} if message["method"] == "initialize" else None
            body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()
            sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
