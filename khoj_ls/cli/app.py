"""The program: its verbs, each loaded only when it is asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NoReturn, cast

import click

from khoj_ls import __version__
from khoj_ls.cli.errors import OutputClosed, guarded
from khoj_ls.cli.run import run_options

VERBS = (
    "search",
    "related",
    "links",
    "chat",
    "conversations",
    "models",
    "webhooks",
    "index",
    "status",
    "doctor",
    "plugins",
    "config",
    "daemon",
    "lsp",
    "demo",
    "eval",
    "sbom",
    "bench",
    "uninstall",
)
"""Each is `khoj_ls.cli.<verb>` with the click command `command`, in the order of the help."""

_FOUND = "khoj_ls.cli.app.plugin_verbs"


class Program(click.Group):
    """The group of all verbs. Its `main` ends the process with the project's exit statuses."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs."""
        return [*VERBS, *_plugin_verbs(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now."""
        if cmd_name not in VERBS:
            return _plugin_verbs(ctx).get(cmd_name)
        return cast(click.Command, importlib.import_module(f"khoj_ls.cli.{cmd_name}").command)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb and its arguments; a word that is no verb is told with the one that was meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-") and args[0] not in _plugin_verbs(ctx):
            from khoj_ls.config.options import suggestion

            meant = suggestion(args[0], (*VERBS, *_plugin_verbs(ctx))) or "; to search, write: khoj-ls search " + args[0]
            ctx.fail(f"there is no verb {args[0]!r}{meant}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a reader that went away is told apart from other errors of the system."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise OutputClosed from error

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> NoReturn:
        """Run the program and end the process."""
        import sys

        _all_streams_open(sys)
        arguments = list(sys.argv[1:] if args is None else args)
        extra.update(prog_name="khoj-ls", standalone_mode=False)
        run = super().main
        sys.exit(guarded(lambda: cast("int | None", run(arguments, **extra)), as_json="--json" in arguments))


def _plugin_verbs(ctx: click.Context) -> Mapping[str, click.Command]:
    """The verbs that plugins bring; looked for once in a run, and only when they are asked for."""
    meta = ctx.meta  # of the run and not of the program: that is one for all runs of a process
    if _FOUND not in meta:
        from khoj_ls.cli.plugin_verbs import plugin_verbs

        meta[_FOUND] = plugin_verbs(VERBS)
    return cast("Mapping[str, click.Command]", meta[_FOUND])


def _all_streams_open(sys: ModuleType) -> None:
    """Give a program that was started with a closed stream (`<&-`) one where nothing comes from and all is lost."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - it stays open as long as the process


_HELP = """Search your notes by meaning and by words.

Without a verb, and with its input coming from a program, khoj-ls speaks the Language Server Protocol: that is how editors
start it.

\b
Examples:
  khoj-ls search how did I fix the router
  khoj-ls search --vault ~/notes --limit 3 '"exact phrase"'
  khoj-ls related notes/router.md:12
  khoj-ls index ~/notes

\b
Exit status: 0 found or done, 1 nothing found, 2 wrong usage,
3 failure, 130 called off with Ctrl-C.

\b
Completion in your shell (bash; zsh and fish likewise):
  eval "$(_KHOJ_LS_COMPLETE=bash_source khoj-ls)"
"""


@click.group(cls=Program, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@run_options
@click.version_option(__version__, prog_name="khoj-ls", message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context) -> None:
    """Take the options that hold for every verb."""
    if os.environ.get("NO_COLOR"):
        context.color = False
