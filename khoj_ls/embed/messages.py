"""What the encoder service says to its processes, and they to it; and what a prepared model's folder says of itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """model.json of a prepared model."""

    id: str
    """Names the weights and all that changes a vector."""
    name: str
    dimensions: int
    max_tokens: int
    """Longest input, special tokens and prefix included."""
    backend: str
    """`onnx`, or `sentence-transformers` for models that cannot be exported or that run on an accelerator."""
    note: str = ""
    """Why it is not `onnx`."""
    source: str
    """Folder that the weights were read from."""
    signature: str
    """Sizes and times of the files there, as they were: other ones are looked at anew."""
    revision: str
    """Hash of what those files hold."""
    device: str = "cpu"
    query_prefix: str = ""
    document_prefix: str = ""
    files: dict[str, int] = {}
    """Sizes of the files beside model.json: a copy or a crash may have left less."""


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
    batch_texts: int
    nice: int


class Embed(msgspec.Struct, frozen=True, tag="embed"):
    """Embed texts; a `query` has a thread of its own, `alone` keeps the rest of the backlog waiting meanwhile."""

    id: int
    texts: list[str]
    query: bool = False
    alone: bool = False


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """The answer to `id` is not wanted any more."""

    id: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The model is loaded, or prepared."""


class Step(msgspec.Struct, frozen=True, tag="step"):
    """What preparing has come to: step `done` of `total` begins."""

    done: int
    total: int
    message: str


class Started(msgspec.Struct, frozen=True, tag="started"):
    """The texts at `places` of request `id` are being computed: should the process end, they are the suspects."""

    id: int
    places: list[int]


class Vectors(msgspec.Struct, frozen=True, tag="vectors"):
    """Unit vectors of the texts at `places` of request `id`."""

    id: int
    places: list[int]
    vectors: list[bytes]


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """What went wrong with request `id`."""

    id: int
    error: str


class Unusable(msgspec.Struct, frozen=True, tag="unusable"):
    """Why the model cannot be loaded, or prepared."""

    error: str


Request = Embed | Cancel
Answer = Started | Vectors | Failed
Reply = Ready | Unusable | Step | Started | Vectors | Failed


def frame_streams() -> tuple[BinaryIO, BinaryIO]:
    """Standard input, and the standard output for frames alone: what libraries print goes to standard error from now on."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, out
