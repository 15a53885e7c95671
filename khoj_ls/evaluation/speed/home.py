"""A home of one's own for a while: nothing of the user's is touched, and no daemon is left behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khoj_ls.config.paths import folders


@contextmanager
def throw_away_home() -> Iterator[Path]:
    """A new home in KHOJ_LS_HOME, with the user's prepared models; its daemon is ended and it is removed at the end."""
    from khoj_ls.daemon import launch

    models, before = folders().models, os.environ.get("KHOJ_LS_HOME")
    # A socket's path may have some 100 bytes: the shortest place there is.
    with tempfile.TemporaryDirectory(prefix="khoj-") as home:
        models.mkdir(parents=True, exist_ok=True, mode=0o700)
        (Path(home) / "data").mkdir(mode=0o700)
        (Path(home) / "data" / "models").symlink_to(models.resolve(), target_is_directory=True)
        os.environ["KHOJ_LS_HOME"] = home
        try:
            yield Path(home)
        finally:
            launch.stop()
            if before is None:
                del os.environ["KHOJ_LS_HOME"]
            else:
                os.environ["KHOJ_LS_HOME"] = before
