"""What a service says to the processes of its model, and they to it; and what a prepared model's folder says of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

Input = str | tuple[str, str]
"""What a model is asked about: a text, or a pair of texts."""

Value = bytes
"""What it makes of one input, as little-endian float32 numbers: a unit vector, or a score."""


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """model.json of a prepared model."""

    id: str
    """Names the weights and all that changes a value."""
    name: str
    dimensions: int
    """How many numbers a value has."""
    max_tokens: int
    """Longest input, special tokens and prefix included."""
    backend: str
    """`onnx`; `sentence-transformers` for models that cannot be exported or that run on an accelerator; `plugin`."""
    note: str = ""
    """Why it is not `onnx`; or what an export with smaller numbers costs."""
    source: str
    """Folder that the weights were read from."""
    signature: str
    """Sizes and times of the files there, as they were: other ones are looked at anew."""
    revision: str
    """Hash of what those files hold."""
    engine: str = "onnxruntime"
    """What computes an exported model's backlog: `onnxruntime`, `openvino`. Queries are always ONNX Runtime's."""
    precision: str = "f32"
    """Numbers that it computes with: `f32`, `bf16`, `f16`, `int8`."""
    runtime: str = ""
    """What there was to choose from when that was chosen (`runtimes`): when it changes, it is chosen anew."""
    chosen: str = ""
    """Why it was chosen, in words."""
    queries: str = "f32"
    """Weights that an exported model's queries are computed with: `f32`, or `int8` where those find the same."""
    queries_chosen: str = ""
    """Why, in words."""
    device: str = "cpu"
    query_prefix: str = ""
    document_prefix: str = ""
    remote: str = ""
    """Where a plugin's model sends texts, by its own account."""
    files: dict[str, int] = {}
    """Sizes of the files beside model.json: a copy or a crash may have left less."""

    @property
    def computed_by(self) -> str:
        """What computes it, for people: `onnx`, `openvino bf16`, `sentence-transformers f16`."""
        name = self.engine if self.engine != "onnxruntime" else self.backend
        return name if self.precision == "f32" else f"{name} {self.precision}"


def read_model(folder: Path) -> ModelFile | None:
    """model.json of a prepared model; None when it is not prepared, or only in part."""
    try:
        model = msgspec.json.decode((folder / "model.json").read_bytes(), type=ModelFile)
        whole = all((folder / name).stat().st_size == size for name, size in model.files.items())
    except (OSError, msgspec.MsgspecError):
        return None
    return model if whole else None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The first message to a worker: the prepared model to load, and how to run it."""

    folder: str
    threads: int
    batch_tokens: int
    batch_inputs: int
    nice: int
    plugin: str = ""
    """What is needed to load the plugin that brings the model (`PluginManager.order_of`)."""


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """Compute the values of inputs; a `query` does not wait for the backlog, `alone` keeps the rest of the backlog waiting."""

    id: int
    inputs: list[Input]
    query: bool = False
    alone: bool = False


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """The answer to `id` is not wanted any more."""

    id: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded, or prepared."""

    listening: list[int] = []
    """Native ids of the threads that wait for queries, and compute them."""
    processors: list[int] = []
    """What these may run on."""


class Step(msgspec.Struct, frozen=True, tag="step"):
    """What preparing has come to: step `done` of `total` begins."""

    done: int
    total: int
    message: str


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The inputs at `places` of request `id` are being computed: should the process end, they are the suspects.

    A query is one from the moment it is sent, and nothing is said of it.
    """

    id: int
    places: list[int]


class Values(msgspec.Struct, frozen=True, tag="values"):
    """Values of the inputs at `places` of request `id`."""

    id: int
    places: list[int]
    values: list[Value]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """What went wrong with request `id`."""

    id: int
    error: str


class Unusable(msgspec.Struct, frozen=True, tag="unusable"):
    """Why the model cannot be loaded, or prepared."""

    error: str


Request = Ask | Cancel
Answer = Started | Values | Failed
Reply = Ready | Unusable | Step | Started | Values | Failed
