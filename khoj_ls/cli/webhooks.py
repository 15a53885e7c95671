"""`khoj-ls webhooks`: who is told of what happens, whether it arrives, and what did not."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import click

from khoj_ls.automation.payloads import TEST_EVENT, Tested, body_of
from khoj_ls.automation.posting import post
from khoj_ls.automation.webhooks import deliveries_of
from khoj_ls.cli.errors import FAILURE, FOUND, NOTHING
from khoj_ls.cli.output import columns, duration, echo_json, note, plural, printable
from khoj_ls.cli.run import Run, json_option
from khoj_ls.config.keys import find_key
from khoj_ls.config.load import load_user_settings
from khoj_ls.config.paths import Folders, folders
from khoj_ls.config.webhooks import WEBHOOKS, Webhook, webhooks
from khoj_ls.core.errors import SettingsError, UsageError
from khoj_ls.store.deliveries import Circuit, Delivery

_HELP = """Show, test and mend webhooks: addresses of yours that are told of events.

They stand in your config.toml, as [[webhooks]] tables: docs/webhooks.md tells how. Without a verb they are listed.

\b
Examples:
  khoj-ls webhooks
  khoj-ls webhooks test home
  khoj-ls webhooks deliveries --state failed
  khoj-ls webhooks retry --all

\b
Exit status: 0 found or done, 1 nothing found, 3 a test did not arrive.
"""
_SHOWN_ID = 8
_STATES = ("waiting", "arrived", "failed")
_COLOURS = (("waiting", "yellow"), ("arrived", "green"), ("failed", "red"))


@click.group("webhooks", help=_HELP, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@json_option
@click.pass_context
def command(context: click.Context) -> int | None:
    """List, unless something else is asked for."""
    return _list(context.ensure_object(Run)) if context.invoked_subcommand is None else None


@command.command("list")
@json_option
@click.pass_obj
def list_webhooks(run: Run) -> int:
    """List the webhooks of your settings, and how they do."""
    return _list(run)


@command.command("test")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def test(run: Run, name: str | None) -> int:
    """Send the event webhook.test to a webhook now (without NAME to all that are active), and tell what came back."""
    here = folders()
    known = _known(here)
    chosen = [_named(known, name)] if name else [webhook for webhook in known if webhook.active]
    results = [_tested(webhook, here) for webhook in chosen]
    if run.json:
        echo_json({"results": results})
    for result in () if run.json else results:
        ok = result["error"] is None
        what = f"HTTP {result['status']} in {duration(result['seconds'])}" if ok else result["error"]
        state = click.style("ok  " if ok else "fail", fg="green" if ok else "red")
        click.echo(f"{state}  {printable(result['name'])}: {printable(what)}")
    if not results:
        note("no webhook is active: docs/webhooks.md tells how to make one")
        return NOTHING
    return FAILURE if any(result["error"] for result in results) else FOUND


@command.command("deliveries")
@click.argument("name", required=False)
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="Most deliveries. Default: 20.")
@json_option
@click.pass_obj
def deliveries(run: Run, name: str | None, state: str | None, limit: int) -> int:
    """List deliveries, the newest first: of webhook NAME, or of all. What they say is not shown."""
    queue = deliveries_of(folders())
    found = queue.latest(limit, name, state)
    queue.close()
    if run.json:
        echo_json({"deliveries": [_delivery_json(each) for each in found]})
    else:
        for each in found:
            _show(each)
        if not found:
            note("there are no such deliveries")
    return FOUND if found else NOTHING


@command.command("retry")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that have failed.")
@json_option
@click.pass_obj
def retry(run: Run, ids: tuple[str, ...], everything: bool) -> int:
    """Send deliveries that failed or wait again, now. An ID may be the beginning of one; the daemon does the sending."""
    if bool(ids) == everything:
        raise UsageError("name the deliveries to send again, or say --all")
    if short := next((each for each in ids if len(each) < 4), None):
        raise UsageError(f"{short}: write at least four letters of the id")
    queue = deliveries_of(folders())
    found = queue.retry(None if everything else ids, time.time())
    queue.close()
    if run.json:
        echo_json({"retried": found})
    else:
        for each in found:
            click.echo(f"{_id(each)} is sent again")
        if found:
            note("the daemon sends them; where none runs, the next one does: khoj-ls daemon start")
        else:
            note("none has failed" if everything else "no delivery that could be sent again has this id")
    return FOUND if found else NOTHING


def _known(here: Folders) -> tuple[Webhook, ...]:
    """The webhooks of the settings; what is wrong with others is told."""
    settings, problems = load_user_settings(here)
    for problem in problems:
        if problem.key.startswith(WEBHOOKS):
            note(str(problem))
    return webhooks(settings.webhooks)


def _named(known: tuple[Webhook, ...], name: str) -> Webhook:
    found = next((webhook for webhook in known if webhook.name == name), None)
    if found is None:
        raise UsageError(f"there is no webhook {name!r} (known: {', '.join(each.name for each in known) or 'none'})")
    return found


def _list(run: Run) -> int:
    here = folders()
    known = _known(here)
    queue = deliveries_of(here)
    rows = [(webhook, queue.counts(webhook.name), queue.circuit(webhook.name)) for webhook in known]
    queue.close()
    if run.json:
        echo_json({"webhooks": [_webhook_json(webhook, counts, circuit, here) for webhook, counts, circuit in rows]})
        return FOUND if rows else NOTHING
    for webhook, counts, circuit in rows:
        click.secho(printable(webhook.name), bold=True)
        columns(_about(webhook, counts, circuit, here))
    if not rows:
        note("there are no webhooks: docs/webhooks.md tells how to make one")
    return FOUND if rows else NOTHING


def _about(webhook: Webhook, counts: dict[str, int], circuit: Circuit, here: Folders) -> list[tuple[str, str]]:
    rows = [
        ("url", webhook.url),
        ("events", ", ".join(webhook.events)),
        ("key", f"{webhook.secret_variable} ({'there' if _has_key(webhook, here) else 'missing: run khoj-ls config key'})"),
        ("content", "yes" if webhook.content else "no"),
        ("deliveries", ", ".join(f"{counts[state]:,} {state}" for state in _STATES)),
    ]
    if not webhook.active:
        rows.append(("active", "no"))
    if (left := circuit.open_until - time.time()) > 0:
        rows.append(("paused", f"for {duration(left)}, after {plural(circuit.failures, 'failure')} in a row"))
    if circuit.dropped:
        rows.append(("dropped", plural(circuit.dropped, "event")))
    return rows


def _webhook_json(webhook: Webhook, counts: dict[str, int], circuit: Circuit, here: Folders) -> dict[str, Any]:
    open_until = _moment(circuit.open_until) if circuit.open_until > time.time() else None
    return {
        **asdict(webhook),
        "key_found": _has_key(webhook, here),
        "deliveries": counts,
        "failures": circuit.failures,
        "paused_until": open_until,
        "dropped": circuit.dropped,
    }


def _has_key(webhook: Webhook, here: Folders) -> bool:
    try:
        return bool(find_key(webhook.secret_variable, os.environ, here))
    except SettingsError as error:
        note(str(error))
        return False


def _tested(webhook: Webhook, here: Folders) -> dict[str, Any]:
    begun = time.monotonic()
    number, delivery = secrets.token_hex(16), secrets.token_hex(16)
    secret = find_key(webhook.secret_variable, os.environ, here)
    if not secret:
        error = f"there is no key {webhook.secret_variable}: khoj-ls config key {webhook.secret_variable}"
        return {"name": webhook.name, "delivery": delivery, "status": None, "error": error, "seconds": 0.0}
    answer = post(webhook, secret, TEST_EVENT, delivery, body_of(number, TEST_EVENT, time.time(), "", Tested()))
    seconds = round(time.monotonic() - begun, 3)
    return {
        "name": webhook.name,
        "delivery": delivery,
        "status": answer.status,
        "error": answer.error or None,
        "seconds": seconds,
    }


def _delivery_json(each: Delivery) -> dict[str, Any]:
    times = {
        name: _moment(value) if value is not None else None
        for name, value in (("created", each.created), ("ended", each.ended))
    }
    return {**asdict(each), **times, "due": _moment(each.due) if each.state == "waiting" else None, "error": each.error or None}


def _show(each: Delivery) -> None:
    state = click.style(each.state, fg=dict(_COLOURS)[each.state])
    about = f"{datetime.fromtimestamp(each.created).astimezone():%Y-%m-%d %H:%M:%S}, {plural(each.attempts, 'attempt')}"
    click.echo(f"{_id(each.id)} {state} {printable(each.webhook)} {each.event} {click.style(f'({about})', dim=True)}")
    if each.error:
        click.echo(f"    {printable(each.error)}")


def _id(whole: str) -> str:
    return click.style(whole[:_SHOWN_ID], fg="yellow")


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
