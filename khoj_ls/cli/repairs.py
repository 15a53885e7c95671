"""What `doctor --repair` does: end the daemon, then go through what is kept of every vault, and the queue of webhooks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.config.load import load_user_settings, load_vault_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import Settings
from khoj_ls.core.errors import KhojError
from khoj_ls.embed.service import EncoderService
from khoj_ls.plugins.manager import load_plugins
from khoj_ls.vault.repair import Bench, Repair, repair_vault


def repairs(here: Folders, only: Path | None) -> Iterator[Repair]:
    """Repair the vault at `only`, or all that anything is kept of; one result for each thing looked at."""
    from khoj_ls.daemon import launch

    before = os.umask(0o077)
    try:
        if launch.stop():
            yield Repair("daemon", "intact", "it was ended for this; whoever needs it starts it again")
        user, _ = load_user_settings(here)
        plugins = load_plugins(here, user.plugins, user.vaults)
        for own in sorted((here.data / "vaults").glob("*")):
            root = _root_of(own)
            if root is None or only not in (None, root):
                continue
            settings = load_vault_settings(user, root)
            encoder = _encoder(settings, here)
            try:
                yield from repair_vault(own, root, Bench(settings, plugins, encoder))
            finally:
                if encoder:
                    encoder.close()
        if only is None:
            yield from _queue(here)
    finally:
        os.umask(before)


def _root_of(own: Path) -> Path | None:
    """The vault whose data a folder holds; None where it does not say."""
    try:
        return Path((own / "root.txt").read_text(errors="surrogateescape").removesuffix("\n"))
    except OSError:
        return None


def _encoder(settings: Settings, here: Folders) -> EncoderService | None:
    """The model of a vault, where it is on this machine and ready; nothing is sent anywhere or fetched for a repair."""
    encoder = EncoderService(settings.embedding, here.models, nice=0)
    try:
        return encoder if encoder.prepared and not encoder.spec.remote else None
    except KhojError:
        return None


def _queue(here: Folders) -> Iterator[Repair]:
    from khoj_ls.automation.webhooks import deliveries_of

    queue = deliveries_of(here)
    if not queue.path.exists():
        return
    try:
        told = queue.mend()
        yield Repair("webhooks", "repaired" if told else "intact", told or f"{queue.path}: intact")
    except KhojError as error:
        yield Repair("webhooks", "failed", str(error))
    finally:
        queue.close()
