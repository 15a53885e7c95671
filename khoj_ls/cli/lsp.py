"""`khoj-ls lsp`: the language server on the standard streams, through the daemon or all in this process."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from khoj_ls.cli.run import Run, run_options

_HELP = """Speak the Language Server Protocol on the standard streams; editors run this.

Usually it passes everything on to the daemon, so that all editors share one index and one model. `khoj-ls` alone, started by a
program, does the same. With --in-process everything happens here; a vault whose index another process writes is then only
read.
"""


@click.command("lsp", help=_HELP)
@click.option("--stdio", is_flag=True, help="Accepted, and how it always works.")
@run_options
@click.pass_obj
def command(run: Run, stdio: bool) -> NoReturn:
    """Serve one editor until it leaves."""
    if not (run.in_process or run.sets):
        from khoj_ls.daemon.relay import main

        sys.exit(main())
    from khoj_ls.cli.stdio import serve
    from khoj_ls.config.load import assignments

    status = serve(assignments(run.sets))
    # A thread may sit in a read of standard input that nothing will end.
    os._exit(status)
