"""The encoder process: `python -m khoj_ls.embed.worker`."""

from __future__ import annotations

from pathlib import Path

from khoj_ls.embed.query_graph import QUERY_GRAPH
from khoj_ls.embed.role import ENCODER
from khoj_ls.embed.runtimes import INT8_GRAPH, OPENVINO
from khoj_ls.models.batches import Backend, Split
from khoj_ls.models.messages import Load, ModelFile
from khoj_ls.models.worker import serve


def load(wanted: Load, model: ModelFile) -> Backend | Split:
    """The prepared bi-encoder, computed as was chosen for this machine."""
    if model.backend == "plugin":
        from khoj_ls.embed.plugged import plugged_backend

        return plugged_backend(wanted, model)
    if model.backend == "onnx":
        return _exported(wanted, model)
    from khoj_ls.embed.sentence_transformers_backend import sentence_transformers_backend

    return sentence_transformers_backend(
        Path(model.source),
        model.device,
        model.max_tokens,
        wanted.batch_tokens,
        wanted.batch_inputs,
        half=model.precision == "f16",
    )


def _exported(wanted: Load, model: ModelFile) -> Split:
    from khoj_ls.embed.vectors import unit_rows
    from khoj_ls.models.onnx_backend import OnnxBackend

    folder = Path(wanted.folder)
    graph = INT8_GRAPH if model.precision == "int8" else "model.onnx"
    session = OnnxBackend(folder, model.max_tokens, wanted.threads, unit_rows, wanted.batch_tokens, graph)
    queries = session.with_graph(QUERY_GRAPH) if model.queries == "int8" else session
    if model.engine != OPENVINO:
        return Split(session, queries)
    from khoj_ls.models.openvino_backend import OpenVinoBackend

    return Split(OpenVinoBackend(folder / graph, session, wanted.threads, unit_rows, precision=model.precision), queries)


if __name__ == "__main__":
    serve(ENCODER, load)
