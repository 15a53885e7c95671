"""Content processors of plugins: looked at before they decide over anything, and called so that they cannot hold anybody up."""

from __future__ import annotations

import re
from functools import partial

import msgspec

from khoj_ls.core.protocols import ContentProcessor, Needs
from khoj_ls.core.types import ParsedFile
from khoj_ls.plugins.limits import PluginFault, described, within

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_EXTENSION = re.compile(r"(\.[^\s./\\A-Z]+)+")
_MOST_EXTENSIONS = 500


def processor_fault(item: object) -> str:
    """Why `item` is no content processor that can be used, for whoever made it; empty where it is one. Never raises."""
    try:
        return _fault(item)
    except Exception as error:  # noqa: BLE001 - its attributes may be code of others, too
        return f"what it brings cannot be looked at ({described(error)})"


def _fault(item: object) -> str:
    if isinstance(item, type) or not isinstance(item, ContentProcessor):
        return f"a {type(item).__name__} is no content processor: it needs name, extensions, priority and parse"
    if not isinstance(item.name, str) or not _NAME.fullmatch(item.name):
        return f"{str(item.name)[:60]!r} is no name of a content type: lower-case letters, digits, - and _"
    extensions: object = item.extensions
    if not isinstance(extensions, (tuple, list)) or not 0 < len(extensions) <= _MOST_EXTENSIONS:
        return f"the extensions of {item.name} are no tuple of texts"
    for each in extensions:
        if not isinstance(each, str) or not _EXTENSION.fullmatch(each):
            return f"{str(each)[:60]!r} is no extension for {item.name}: a dot and lower-case letters, such as .abc"
    if type(item.priority) is not int:
        return f"the priority of {item.name} is no whole number"
    parse: object = item.parse
    if not callable(parse):
        return f"the parse of {item.name} cannot be called"
    needs: object = getattr(item, "needs", None)
    if needs is not None and not isinstance(needs, Needs):
        return f"the needs of {item.name} are no khoj_ls.core.protocols.Needs"
    return "" if type(getattr(item, "version", 1)) is int else f"the version of {item.name} is no whole number"


def parsed_apart(processor: ContentProcessor, data: bytes, path: str, seconds: float | None) -> ParsedFile:
    """What a processor of a plugin makes of a file, with all that it holds of the kinds that it should be.

    Raises what it raises, PluginFault when it takes longer than `seconds` (None: whoever runs this process sees to that).
    """
    if seconds is None:
        return checked_parse(processor.parse(data, path))
    try:
        return checked_parse(within(seconds, partial(processor.parse, data, path), f"khoj-parse-{processor.name}"))
    except PluginFault as fault:
        if isinstance(fault.__cause__, Exception):
            raise fault.__cause__ from None
        raise


def checked_parse(parsed: ParsedFile) -> ParsedFile:
    """`parsed` as it comes out when it is sent to another process. Raises TypeError where that cannot be done."""
    if not isinstance(parsed, ParsedFile):
        raise TypeError(f"a {type(parsed).__name__} is no ParsedFile")
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(parsed), type=ParsedFile)
    except (msgspec.MsgspecError, ValueError) as error:
        raise TypeError(f"it is no ParsedFile that can be stored: {error}") from error
