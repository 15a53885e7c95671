"""What there is on this machine to compute a model with. Loads none of it."""

from __future__ import annotations

import importlib.metadata
import platform

from khoj_ls.embed.presets import ModelSpec

OPENVINO = "openvino"
INT8_GRAPH = "model.int8.onnx"
"""Beside the graph of 32 bits, in the folder of a prepared model."""

PLAIN = "onnxruntime f32"
"""Where there is nothing to choose."""

_HEAD = 4096


def runtimes(spec: ModelSpec) -> str:
    """What there is to choose from, and what the settings say: the choice is made anew when it changes; empty: nothing."""
    if spec.plugin:
        return ""
    openvino = _version(OPENVINO) if tries_openvino(spec) else ""
    if spec.device == "cpu" and spec.precision not in ("auto", "int8") and not openvino:
        return PLAIN
    found = f"onnxruntime {_version('onnxruntime')}, {OPENVINO} {openvino or 'none'}"
    return f"{spec.engine} {spec.precision}; {found}; {_processor()}"


def tries_openvino(spec: ModelSpec) -> bool:
    """Whether OpenVINO is to be looked at: where it is installed, or asked for by name."""
    return spec.engine == OPENVINO or (spec.engine == "auto" and spec.precision != "full" and bool(_version(OPENVINO)))


def _version(package: str) -> str:
    """Of an installed package; empty: it is not."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """What the processor is called: a home that moves to another machine is computed there in that one's way."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
            lines = stream.read(_HEAD).splitlines()
    except OSError:  # no Linux
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
