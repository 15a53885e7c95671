"""The folders and files the program owns. Nothing is ever written inside a vault.

`KHOJ_LS_HOME` puts all of them under one folder (tests, portable installs); else the platform's own places are used.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Where settings, data, logs and the daemon's socket live."""

    config: Path
    data: Path
    state: Path
    runtime: Path

    @property
    def user_settings(self) -> Path:
        """The user's TOML file."""
        return self.config / "config.toml"

    @property
    def models(self) -> Path:
        """Prepared embedding models."""
        return self.data / "models"

    @property
    def chat_models(self) -> Path:
        """GGUF files of chat models, put there by the user."""
        return self.models / "chat"

    @property
    def log(self) -> Path:
        """The daemon's log file."""
        return self.state / "daemon.log"

    def vault(self, root: Path) -> Path:
        """Data folder of the vault at `root` (absolute, resolved): readable name plus a hash of the path."""
        digest = hashlib.sha256(os.fsencode(str(root))).hexdigest()[:16]
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip("-.") or "vault"
        return self.data / "vaults" / f"{name[:40]}-{digest}"


def folders() -> Folders:
    """The folders of this user, from the environment of this process. Creates none of them."""
    home = os.environ.get("KHOJ_LS_HOME")
    if home:
        base = Path(home).expanduser().absolute()
        return Folders(base / "config", base / "data", base / "state", _short_runtime(base / "run"))
    # Imported here: the relay asks for these folders and must start in tens of milliseconds.
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("khoj-ls", appauthor=False)
    state = Path(dirs.user_state_dir)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Folders(
        Path(dirs.user_config_dir),
        Path(dirs.user_data_dir),
        state,
        Path(runtime) / "khoj-ls" if runtime and Path(runtime).is_dir() else _short_runtime(state / "run"),
    )


def _short_runtime(folder: Path) -> Path:
    """`folder`, or one with a short name in the temporary directory where a socket's path (at most 107 bytes) would not fit."""
    if len(os.fsencode(str(folder))) <= 80:
        return folder
    digest = hashlib.sha256(os.fsencode(str(folder))).hexdigest()[:12]
    user = os.getuid() if hasattr(os, "getuid") else 0
    return Path(tempfile.gettempdir()) / f"khoj-ls-{user}-{digest}"
