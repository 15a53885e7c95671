"""The reranker process: `python -m khoj_ls.rerank.worker`."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.models.batches import Backend
from khoj_ls.models.messages import Load, ModelFile
from khoj_ls.models.worker import serve
from khoj_ls.rerank.role import RERANKER


def load(wanted: Load, model: ModelFile) -> Backend:
    """The prepared cross-encoder."""
    if model.backend == "onnx":
        from khoj_ls.models.onnx_backend import OnnxBackend
        from khoj_ls.rerank.output import score_rows

        return OnnxBackend(Path(wanted.folder), model.max_tokens, wanted.threads, score_rows, wanted.batch_tokens)
    from khoj_ls.rerank.cross_encoder import cross_encoder_backend

    return cross_encoder_backend(Path(model.source), model.device, model.max_tokens, wanted.batch_tokens, wanted.batch_inputs)


if __name__ == "__main__":
    serve(RERANKER, load)
