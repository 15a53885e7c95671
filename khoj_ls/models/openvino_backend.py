"""OpenVINO: computes a backlog with numbers of 16 bits, where the processor has instructions for them. An extra.

Queries and a handful of texts stay with ONNX Runtime: OpenVINO prepares itself for every shape it has not seen (25 ms, where a
query takes 5), holds 200 MB, and computes in threads of its own. Those inherit the niceness of the thread that loads the model,
which is one of the backlog's; both go again when the backlog is through. Nothing is told to anybody: the module that counts
uses of OpenVINO's tools is kept out.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from khoj_ls.models.batches import Batch, group
from khoj_ls.models.messages import Input, Value
from khoj_ls.models.onnx_backend import OnnxBackend, Tokens

TELEMETRY = "openvino_telemetry"
_RUN_TOKENS = 512
_MOST_INPUTS = 32
_LENGTHS = 32
"""Lengths are padded to a multiple: few shapes are prepared and kept (measured: 60 MB instead of 250)."""
_WORTH_INPUTS = 32
"""Fewer at once are no backlog: loading OpenVINO takes longer than computing them."""
_KEPT_SECONDS = 20.0


def openvino_works() -> bool:
    """Whether OpenVINO is installed and computes on this processor."""
    return bool(_capabilities())


def has_bfloat16() -> bool:
    """Whether it also has instructions for bfloat16 here: without, 16 bits are emulated and gain nothing."""
    return "BF16" in _capabilities()


class OpenVinoBackend:
    """A prepared model for the backlog: a Backend (models.batches) beside the ONNX session that answers the queries."""

    def __init__(
        self,
        path: Path,
        session: OnnxBackend,
        threads: int,
        values: Callable[[np.ndarray], list[Value]],
        *,
        precision: str = "bf16",
        worth_inputs: int = _WORTH_INPUTS,
        kept_seconds: float = _KEPT_SECONDS,
    ) -> None:
        """Compute the graph at `path` with `threads` runs side by side, in numbers of `precision` (`bf16`, `f32`).

        Fewer than `worth_inputs` inputs at once go to `session`. The model is loaded for the first that are more, and given
        up `kept_seconds` after the last.
        """
        self.side_by_side = threads
        self._path = path
        self._session = session
        self._values = values
        self._precision = precision
        self._worth_inputs = worth_inputs
        self._kept_seconds = kept_seconds
        self._lock = threading.Lock()
        self._compiled: Any = None
        self._running = 0
        self._forgetting: threading.Timer | None = None

    @property
    def loaded(self) -> bool:
        """Whether OpenVINO holds the model now."""
        return self._compiled is not None

    def plan(self, inputs: Sequence[Input]) -> list[Batch]:
        """Tokenize `inputs` and group them by length. Many are computed by OpenVINO, few by ONNX Runtime."""
        if len(inputs) < self._worth_inputs:
            return self._session.plan(inputs)
        tokens = self._session.tokens(inputs)
        lengths = [_padded(len(ids)) for ids, _ in tokens]
        return [
            Batch(places, _ForOpenVino([tokens[place] for place in places]))
            for places in group(lengths, _RUN_TOKENS, _MOST_INPUTS)
        ]

    def run(self, batch: Batch) -> list[Value]:
        """Compute; the calling thread waits."""
        if not isinstance(batch.inputs, _ForOpenVino):
            return self._session.run(batch)
        compiled = self._hold()
        try:
            return self._values(self._inferred(compiled, batch.inputs.tokens))
        finally:
            self._let_go()

    def _inferred(self, compiled: Any, tokens: Sequence[Tokens]) -> np.ndarray:
        feed = self._session.feed(tokens, _padded(max(len(ids) for ids, _ in tokens)))
        names = {name for port in compiled.inputs for name in port.names}
        result = compiled.create_infer_request().infer({name: value for name, value in feed.items() if name in names})
        output: np.ndarray = result[compiled.output(0)]
        return output

    def _hold(self) -> Any:
        """The loaded model, which stays until `_let_go`."""
        with self._lock:
            if self._forgetting is not None:
                self._forgetting.cancel()
                self._forgetting = None
            if self._compiled is None:
                self._compiled = self._load()
            self._running += 1
            return self._compiled

    def _let_go(self) -> None:
        with self._lock:
            self._running -= 1
            if not self._running:
                self._forgetting = threading.Timer(self._kept_seconds, self._forget)
                self._forgetting.daemon = True
                self._forgetting.start()

    def _forget(self) -> None:
        with self._lock:
            if not self._running:
                self._compiled = None

    def _load(self) -> Any:
        core = _openvino().Core()
        options = {
            "INFERENCE_PRECISION_HINT": self._precision,
            "NUM_STREAMS": str(self.side_by_side),
            "INFERENCE_NUM_THREADS": str(self.side_by_side),
            # The machine is shared with whoever writes: no thread may insist on a core.
            "ENABLE_CPU_PINNING": False,
        }
        compiled = core.compile_model(core.read_model(str(self._path)), "CPU", options)
        # The first inference of a process sets up what the binding shares, and holds Python's lock while it waits for another
        # thread that is at it, which waits for that lock: so one thread goes through it alone.
        self._inferred(compiled, [([0], [0])])
        return compiled


class _ForOpenVino:
    """The tokens of a batch that OpenVINO is to compute."""

    def __init__(self, tokens: list[Tokens]) -> None:
        self.tokens = tokens


def _capabilities() -> Sequence[str]:
    try:
        found: Sequence[str] = _openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, RuntimeError):  # not installed, or it does not know this processor
        return ()
    return found


def _padded(length: int) -> int:
    return max(1, -(-length // _LENGTHS)) * _LENGTHS


def _openvino() -> Any:
    # None in sys.modules makes every import of it fail, and OpenVINO then uses its own stand-in that does nothing.
    sys.modules.setdefault(TELEMETRY, None)  # type: ignore[arg-type]  # typed without that None, which the import system knows
    import openvino

    return openvino
