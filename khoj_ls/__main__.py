"""`khoj-ls` and `python -m khoj_ls`: an editor's language server without a verb, the command line with one.

Nothing is imported before the verb is known: what an editor starts must answer in tens of milliseconds.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the program with the process's arguments; ends the process."""
    arguments = sys.argv[1:]
    completing = "_KHOJ_LS_COMPLETE" in os.environ
    if not arguments and sys.stdin is not None and sys.stdin.isatty() and not completing:
        arguments = ["--help"]
    if arguments in ([], ["--stdio"], ["lsp"], ["lsp", "--stdio"]) and not completing:
        from khoj_ls.daemon.relay import main as relay

        sys.exit(relay())
    from khoj_ls.cli.app import program
    from khoj_ls.cli.errors import CANCELLED

    try:
        program.main(arguments)
    except SystemExit as end:
        if end.code == CANCELLED:
            # Whoever called it off does not wait for threads that are slow to hear of it; what they had done is stored.
            sys.stderr.flush()
            os._exit(CANCELLED)
        raise


if __name__ == "__main__":
    main()
