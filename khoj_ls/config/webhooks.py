"""Webhooks: addresses of the user's own that are told of events: `[[webhooks]]` tables, in config.toml only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from khoj_ls.config.options import PROFILE_NAME, options, suggestion
from khoj_ls.config.setting import setting
from khoj_ls.core.events import EVENTS

WEBHOOKS = "webhooks"
"""The key of config.toml that holds the tables."""

MOST = 20
"""Webhooks that a user can have."""

NOT_HERE = "webhooks stand only in your own config.toml, as [[webhooks]] tables: docs/webhooks.md tells how"
"""What is said of webhooks anywhere else: in a vault's file, an editor's settings, on the command line."""

_KEY_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_NAME = re.compile(PROFILE_NAME)
_URL = re.compile(r"[!-~]{1,2000}")
_LEFT_OUT = "; this webhook is not used"


@dataclass(frozen=True)
class Webhook:
    """An address that is told of events."""

    url: str = setting("", "user", "Where events are posted to. https, or http to an address that allow_private names.")
    secret_variable: str = setting(
        "", "user", "The name of the key that signs each delivery: `khoj-ls config key NAME` asks for it and keeps it."
    )
    events: tuple[str, ...] = setting((), "user", f"Which events: {', '.join(EVENTS)}.")
    name: str = setting("", "user", "What it is called in lists and commands; empty: the host of its address.")
    active: bool = setting(True, "user", "Whether anything is sent.")
    content: bool = setting(
        False, "user", "Your yes to sending what notes, questions and answers say. Private notes are never told of."
    )
    retries: int = setting(3, "user", "How often a delivery that failed is tried again by itself.", least=0, most=20)
    timeout_seconds: float = setting(
        10.0, "user", "A delivery that takes longer, from the first byte to the answer, has failed.", least=0.1, most=120
    )
    allow_private: tuple[str, ...] = setting(
        (),
        "user",
        "Addresses or networks that are not public and may be reached, such as 127.0.0.1 or 192.168.1.0/24. None else are.",
    )


def webhooks(tables: tuple[Mapping[str, Any], ...]) -> tuple[Webhook, ...]:
    """The webhooks of the settings (`Settings.webhooks`)."""
    return tuple(Webhook(**table) for table in tables)


def checked_webhooks(value: Any) -> tuple[tuple[Mapping[str, Any], ...], list[tuple[str, str]]]:
    """The usable webhooks of what config.toml holds, and the dotted key and message of what is wrong with the others.

    One with anything wrong is left out whole: it could send more, or elsewhere, than was meant.
    """
    if not isinstance(value, list) or not all(isinstance(table, Mapping) for table in value):
        return (), [(WEBHOOKS, "write one [[webhooks]] table per webhook")]
    found: list[Mapping[str, Any]] = []
    problems: list[tuple[str, str]] = []
    for number, table in enumerate(value, 1):
        if number > MOST:
            problems.append((WEBHOOKS, f"at most {MOST} webhooks; the others are not used"))
            break
        values, wrong = _checked(table)
        if not wrong:
            wrong = _of_whole(values, {str(each["name"]) for each in found})
        problems += [(f"{WEBHOOKS}[{number}].{key}", f"{message}{_LEFT_OUT}") for key, message in wrong]
        if not wrong:
            found.append(MappingProxyType({**values, "name": _name(values)}))
    return tuple(found), problems


def _checked(table: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    known = options(Webhook)
    values: dict[str, Any] = {}
    wrong = []
    for key, value in table.items():
        shown = "".join(char if char.isprintable() else "?" for char in key[:80])
        if key in ("secret", "key", "token"):
            wrong.append((shown, "a secret does not stand in the settings: write secret_variable = NAME, and run: "
                          "khoj-ls config key NAME"))  # fmt: skip
        elif key not in known:
            wrong.append((shown, f"a webhook has no such setting{suggestion(shown, known)} (known: {', '.join(known)})"))
        else:
            try:
                values[key] = known[key].check(value)
            except ValueError as error:
                wrong.append((shown, str(error)))
    return values, wrong


def _of_whole(values: Mapping[str, Any], taken: set[str]) -> list[tuple[str, str]]:
    """What is wrong with values that are each of the right type."""
    wrong = []
    if message := _of_url(values.get("url", ""), bool(values.get("allow_private"))):
        wrong.append(("url", message))
    if not _KEY_NAME.fullmatch(values.get("secret_variable", "")):
        wrong.append(("secret_variable", "name the key that signs, such as KHOJ_LS_WEBHOOK_KEY: letters, digits and _"))
    if not values.get("events"):
        wrong.append(("events", f"name at least one event ({', '.join(EVENTS)})"))
    wrong += [
        ("events", f"there is no event {event[:80]!r}{suggestion(event, EVENTS)} (known: {', '.join(EVENTS)})")
        for event in values.get("events", ())
        if event not in EVENTS
    ]
    for address in values.get("allow_private", ()):
        try:
            ip_network(address, strict=False)
        except ValueError:
            wrong.append(("allow_private", f"{address[:80]!r} is no address or network, such as 127.0.0.1 or 192.168.1.0/24"))
    if values.get("name") and not _NAME.fullmatch(values["name"]):
        wrong.append(("name", "a name is made of letters, digits, - and _, at most 40 of them"))
    elif not wrong and _name(values) in taken:
        wrong.append(("name", f"there is a webhook {_name(values)!r} already: give each a name of its own"))
    return wrong


def _of_url(url: str, private: bool) -> str:
    """Why an address cannot be used; empty when it can."""
    example = "write an address such as https://hooks.example.org/khoj"
    if not _URL.fullmatch(url):
        return f"{example}, in ASCII"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return example
    if "@" in parts.netloc:
        return "an address holds no name or password: the signature tells the receiver who sends"
    if parts.scheme == "http" and not private:
        return "write https: http is not encrypted, and is for addresses that allow_private names"
    return ""


def _name(values: Mapping[str, Any]) -> str:
    """Its name, or one made of its host."""
    host = urlsplit(values["url"]).hostname or ""
    return values.get("name") or re.sub(r"[^A-Za-z0-9_-]+", "-", host)[:40]
