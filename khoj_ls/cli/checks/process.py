"""The daemon, and how many files the system lets us watch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from khoj_ls import __version__
from khoj_ls.cli.checks import Check
from khoj_ls.cli.output import duration
from khoj_ls.core.errors import DaemonError, KhojError

_WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")
_COUNT_SECONDS = 2.0
"""A vault so large that its folders take longer to count is past any limit worth naming."""


def checks(root: Path) -> Iterator[Check]:
    """All of them."""
    daemon = _daemon()
    yield daemon
    if daemon.state == "ok":  # asking a daemon of another version for more would end it
        yield from _open_vaults()
    yield from _service()
    if _WATCHES.exists():
        yield _watching(root, int(_WATCHES.read_text()))


def _daemon() -> Check:
    from khoj_ls.daemon import launch

    try:
        found = launch.status()
    except DaemonError as error:
        return Check("daemon", "fail", str(error), "run: khoj-ls daemon stop")
    if found is None:
        return Check("daemon", "ok", "not running; it starts when it is needed")
    message = f"{found['version']}, process {found['pid']}, up {duration(found['uptime_seconds'])}"
    if found["version"] != __version__:
        return Check("daemon", "warn", f"{message}; this is {__version__}", "run: khoj-ls daemon stop")
    return Check("daemon", "ok", message)


def _open_vaults() -> Iterator[Check]:
    """What the daemon has to say of the vaults that it has open."""
    from khoj_ls.daemon.client import DaemonClient

    try:
        with DaemonClient.connect(start=False) as client:
            vaults = client.call("khoj/status")["vaults"]
    except KhojError:  # none is running, or it has just ended
        return
    for vault in vaults:
        if vault["message"]:
            yield Check(f"vault {vault['root']}", "warn", vault["message"], "see: khoj-ls status, khoj-ls daemon logs")


def _service() -> Iterator[Check]:
    """The service, if there is one: whether it starts what is installed now."""
    from khoj_ls.daemon import service

    try:
        wanted = service.service(service.usual_kind(), os.environ, Path.home())
    except (DaemonError, RuntimeError):  # none on this system, or no home to look in
        return
    if wanted.installed:
        if wanted.path.read_bytes() == wanted.content:
            yield Check("service", "ok", str(wanted.path))
        else:
            message = f"{wanted.path} starts another installation than this one, or finds other folders"
            yield Check("service", "warn", message, "run: khoj-ls daemon install")


def _watching(root: Path, limit: int) -> Check:
    folders = _count_folders(root)
    message = f"{folders:,} folders to watch in {root}, {limit:,} may be"
    if folders < limit:
        return Check("watching", "ok", message)
    return Check(
        "watching",
        "warn",
        f"{message}: changes made outside your editor will be found late",
        f"run: sudo sysctl fs.inotify.max_user_watches={2 * folders} (and put it into /etc/sysctl.d/)",
    )


def _count_folders(root: Path) -> int:
    until, count = time.monotonic() + _COUNT_SECONDS, 0
    for _ in os.walk(root):
        count += 1
        if time.monotonic() > until:
            break
    return count
