"""The relay as an editor runs it, with the toy daemon behind it."""

from __future__ import annotations

import sys
from pathlib import Path

from khoj_ls.daemon import relay

if __name__ == "__main__":
    toy = Path(__file__).with_name("toy_daemon.py")
    sys.exit(relay.main(command=(sys.executable, str(toy), "--detach", "--first", "lsp")))
