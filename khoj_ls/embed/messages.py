"""What the encoder service and its worker say to each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelFile:
    """model.json of a prepared model."""

    id: str
    """Names the weights and all that changes a vector."""
    name: str
    dimensions: int
    max_tokens: int
    backend: str
    """onnx, or sentence-transformers for models that cannot be exported."""
    source: str
    query_prefix: str = ""
    document_prefix: str = ""


@dataclass(frozen=True)
class Embed:
    """Embed texts; `query` goes before everything else."""

    id: int
    texts: list[str]
    query: bool = False


@dataclass(frozen=True)
class Reply:
    """What became of one request, or (`ready`) of the start."""

    id: int = 0
    vectors: list[bytes] | None = None
    error: str | None = None
    ready: bool = False
    progress: str | None = None
