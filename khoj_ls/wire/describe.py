"""docs/protocol.md, made from the messages and operations themselves: `python -m khoj_ls.wire.describe > docs/protocol.md`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import typing
from collections.abc import Iterator

from khoj_ls.wire import (
    chat_file_messages,
    chat_messages,
    conversation_messages,
    link_messages,
    messages,
    metrics_messages,
    note_messages,
    plugin_messages,
    query_messages,
    tuning_messages,
)
from khoj_ls.wire.chat_file_messages import CHAT_COMMANDS, ChatCommand
from khoj_ls.wire.note_edits import EDIT_OPERATIONS, EditOperation
from khoj_ls.wire.operations import OPERATIONS, Operation
from khoj_ls.wire.searching import MAX_LIMIT

_INTRODUCTION = f"""\
# The protocol

This page is generated from the code (`python -m khoj_ls.wire.describe`); a test compares the two.

khoj-ls speaks LSP 3.17 on standard input and output (`khoj-ls`, or `khoj-ls lsp`). Besides the standard methods each
request below has two names that take the same parameters and give the same result: the request `khoj/x`, and the command
`khoj.x` for `workspace/executeCommand` with the parameters as its one argument (`khoj/x/y` is the command `khoj.x.y`). Both can
be cancelled with `$/cancelRequest`, which stops the work itself. Limits go up to {MAX_LIMIT}. Lines are 0-based, as everywhere
in LSP.

Standard methods served: `initialize` to `exit` with position encodings utf-8, utf-16 and utf-32, workspace folders that
change, incremental document sync, `workspace/symbol` (a search; `?` in front asks by meaning alone); of `textDocument/`:
`documentSymbol`, `definition`, `references`, `implementation` (notes like this one), `hover`, `completion`, `documentLink`,
`documentHighlight`, `foldingRange`, `codeLens`, `inlayHint`, `codeAction`, `prepareRename`, `rename`, `prepareCallHierarchy`,
and `diagnostic` with `workspace/diagnostic`, or pushed; `callHierarchy/incomingCalls` and `outgoingCalls`;
`workspace/didChangeConfiguration` (pushed, or pulled from the section `khoj_ls`), `workspace/didChangeWatchedFiles`,
`workspace/willRenameFiles` and `didCreateFiles`, `didRenameFiles`, `didDeleteFiles`; `$/progress` with percentage and time
left, `window/workDoneProgress/cancel`.
[editors.md](editors.md) has all of them, by feature.

`initializationOptions` are session settings (configuration.md), nested or dotted: `{{"search": {{"limit": 20}}}}`. Besides,
`"positionEncoding": "utf-8"` (or utf-32) is for a client that counts so and announces nothing.

Errors are JSON-RPC errors whose message says what to do; `data.code` names the kind: `khoj.usage`, `khoj.vault`, `khoj.store`,
`khoj.model` (`.unreachable`, `.key`, `.rate`, `.context`), `khoj.consent`, `khoj.settings`, `khoj.daemon`, `khoj.cancelled`.
"""

_COMMANDS = """\
## Commands of chats as files

For `workspace/executeCommand` alone, in an editor's own session: they work on the texts that it shows. What such a file looks
like: [chat-file.md](chat-file.md). `khoj.chat.cancel` stops an answer there, too.
"""

_EVENTS = f"""\
### `{chat_messages.CHAT_EVENT}`

What happens in a turn that khoj/chat has begun: sent to that session only, behind the answer to its request. `seq` counts from
1 without gaps. Parameters by `kind`:

| kind | parameters | when |
| --- | --- | --- |
| sources | `ChatSourcesEvent` | first; again only where more was found later |
| status | `ChatStatusEvent` | any number of times |
| delta | `ChatDeltaEvent` | as the answer arrives, at most about 30 times a second |
| done or failed | `ChatDoneEvent` or `ChatFailedEvent` | once, last |

A turn that is called off (khoj/chat/cancel, or the end of the session) ends with `failed` and the code `khoj.cancelled`. A turn
that would send passages of notes to a service for the first time fails with `khoj.consent` and sends nothing; a client with
`window/showMessageRequest` is asked there, and after a yes the turn goes on.
"""


def protocol_page() -> str:
    """The whole page as Markdown."""
    docs = _attribute_docs()
    parts = [_INTRODUCTION, "## Requests\n"]
    shown: dict[type, None] = {}
    for operation in (*OPERATIONS, *EDIT_OPERATIONS):
        parts += _asked(f"khoj/{operation.name}", operation, shows_progress=operation.long)
        shown |= dict.fromkeys([*_dataclasses_in(operation.params), *_dataclasses_in(operation.result)])
    parts.append(_COMMANDS)
    for command in CHAT_COMMANDS:
        parts += _asked(command.command, command)
        shown |= dict.fromkeys([*_dataclasses_in(command.params), *_dataclasses_in(command.result)])
    parts.append(f"## Notifications\n\nFrom the server.\n\n### `khoj/indexChanged`\n\nParameters: `IndexChanged`\n\n{_EVENTS}")
    shown |= dict.fromkeys(_dataclasses_in(messages.IndexChanged))
    shown |= dict.fromkeys(_dataclasses_in(chat_messages.AnyChatEvent))
    parts.append("## Values\n")
    parts += [
        _value(cls, {name: text for own in reversed(cls.__mro__) for name, text in docs.get(own.__name__, {}).items()})
        for cls in sorted(shown, key=lambda cls: cls.__name__)
    ]
    return "\n".join(parts)


def _asked(name: str, what: Operation | EditOperation | ChatCommand, *, shows_progress: bool = False) -> Iterator[str]:
    yield f"### `{name}`\n\n{what.summary}{' Shows progress.' if shows_progress else ''}\n"
    yield f"Parameters: {_type_name(what.params)}\n"
    yield f"Result: {_type_name(what.result)}\n"


def _value(cls: type, docs: dict[str, str]) -> str:
    lines = [
        f"### {cls.__name__}\n",
        f"{(cls.__doc__ or '').strip()}\n",
        "| name | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            default = f"`{field.default!r}`"
        else:
            default = "empty" if field.default_factory is not dataclasses.MISSING else "required"
        lines.append(f"| `{field.name}` | {_type_name(hints[field.name])} | {default} | {docs.get(field.name, '')} |")
    return "\n".join(lines) + "\n"


def _type_name(kind: typing.Any) -> str:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return f"`{kind.__name__}`"
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin is list:
        return f"list of {_type_name(arguments[0])}"
    if origin is dict:
        return "object" if arguments[1] is typing.Any else f"object of {_type_name(arguments[1])}"
    if origin is typing.Literal:
        return " or ".join(f"`{value!r}`" for value in arguments)
    if arguments:
        return " or ".join(_type_name(argument) for argument in arguments)
    return "null" if kind is type(None) else str(getattr(kind, "__name__", kind))


def _dataclasses_in(kind: typing.Any) -> list[type]:
    """The dataclasses that a type is made of, itself first."""
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        nested = [found for hint in typing.get_type_hints(kind).values() for found in _dataclasses_in(hint)]
        return [kind, *nested]
    return [found for argument in typing.get_args(kind) for found in _dataclasses_in(argument)]


def _attribute_docs() -> dict[str, dict[str, str]]:
    """The string under each field, by class and field: Python itself drops them."""
    docs: dict[str, dict[str, str]] = {}
    modules = (
        messages,
        metrics_messages,
        tuning_messages,
        query_messages,
        link_messages,
        note_messages,
        conversation_messages,
        chat_messages,
        chat_file_messages,
        plugin_messages,
    )
    for node in (node for module in modules for node in ast.parse(inspect.getsource(module)).body):
        if isinstance(node, ast.ClassDef):
            own = docs.setdefault(node.name, {})
            for field, text in zip(node.body, node.body[1:], strict=False):
                if (
                    isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and isinstance(text, ast.Expr)
                    and isinstance(text.value, ast.Constant)
                ):
                    own[field.target.id] = " ".join(str(text.value.value).split())
    return docs


if __name__ == "__main__":
    sys.stdout.write(protocol_page())
