"""The encoder process: `python -m khoj_ls.embed.worker`."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.embed.role import ENCODER
from khoj_ls.models.batches import Backend
from khoj_ls.models.messages import Load, ModelFile
from khoj_ls.models.worker import serve


def load(wanted: Load, model: ModelFile) -> Backend:
    """The prepared bi-encoder."""
    if model.backend == "plugin":
        from khoj_ls.embed.plugged import plugged_backend

        return plugged_backend(wanted, model)
    if model.backend == "onnx":
        from khoj_ls.embed.vectors import unit_rows
        from khoj_ls.models.onnx_backend import OnnxBackend

        return OnnxBackend(Path(wanted.folder), model.max_tokens, wanted.threads, unit_rows, wanted.batch_tokens)
    from khoj_ls.embed.sentence_transformers_backend import sentence_transformers_backend

    return sentence_transformers_backend(
        Path(model.source), model.device, model.max_tokens, wanted.batch_tokens, wanted.batch_inputs
    )


if __name__ == "__main__":
    serve(ENCODER, load)
