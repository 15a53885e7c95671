"""Changing one value in a user's TOML file while comments, order and layout stay as they are."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from khoj_ls.core.errors import SettingsError


def edit(path: Path, keys: Sequence[str], value: Any) -> None:
    """Set the value under the nested `keys` of the file at `path`, or take it out when None. Raises SettingsError."""
    # Imported here: only the few commands that write settings need it.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text("utf-8-sig")) if path.exists() else tomlkit.document()
        table: Any = document
        for name in keys[:-1]:
            if name not in table:
                if value is None:
                    return
                table[name] = tomlkit.table(is_super_table=name != keys[-2])
            table = table[name]
        if value is not None:
            table[keys[-1]] = _written(value)
        elif keys[-1] in table:
            del table[keys[-1]]
        text = tomlkit.dumps(document)
    except (TOMLKitError, UnicodeDecodeError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path} cannot be changed ({error}): correct it by hand") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}") from error
    replace_private(path, text)


def _written(value: Any) -> Any:
    """`value` as tomlkit takes it: lists, and tables on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table
    return list(value) if isinstance(value, tuple) else value


def replace_private(path: Path, text: str) -> None:
    """Write `text` to `path`, new files with mode 0600; a crash leaves the old file or the new one. Raises SettingsError."""
    target = path.resolve()  # a dotfiles manager's symlink stays one
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o600
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(mode)
            Path(temporary).replace(target)
        except BaseException:  # whatever it was, no half-written file stays; it is raised again
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror or error}") from error
