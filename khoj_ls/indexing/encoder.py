"""The encoder service as the indexer wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from khoj_ls.content.chunk import chunker_id
from khoj_ls.core.types import Vector
from khoj_ls.embed.service import EncoderService
from khoj_ls.indexing.models import ModelInfo


@dataclass(frozen=True)
class IndexingEncoder:
    """The encoder as the indexer wants it: prepared when it is first needed."""

    service: EncoderService

    def info(self) -> ModelInfo:
        """What the model is. Blocks while it is being prepared. Raises ModelError."""
        self.service.prepare()
        tokenizer, max_tokens = self.service.tokenizer_source()
        return ModelInfo(
            key=self.service.id,
            name=self.service.settings.model,
            dimensions=self.service.dimensions,
            chunker=chunker_id(self.service.tokenizer()),
            tokenizer=tokenizer,
            max_tokens=max_tokens,
            remote=self.service.remote,
        )

    def embed_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Vectors of `texts`. Raises ModelError."""
        return self.service.embed_documents(texts)
