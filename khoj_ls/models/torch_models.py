"""Models in PyTorch: where they run, and batches one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from khoj_ls.core.errors import ModelError
from khoj_ls.models.batches import Batch, group
from khoj_ls.models.messages import Input, Value

_CHARACTERS_PER_TOKEN = 3
"""Lengths need only be about right here: the model's own tokenizer cuts."""
_CPU_TOKENS = 1024

SAFE_TO_LOAD = (("local_files_only", True), ("trust_remote_code", False))
"""Options of every model that is loaded: nothing is fetched, none of its code is run."""


class TorchBackend:
    """A model in PyTorch."""

    def __init__(self, compute: Callable[[list[Any]], list[Value]], device: str, budget: int, most_inputs: int) -> None:
        """Ask `compute` for the values of a batch of about `budget` tokens and at most `most_inputs` inputs."""
        # PyTorch spreads one batch over the cores by itself.
        self.side_by_side = 1
        self._compute = compute
        # A large batch gains nothing on the CPU, and a query has to wait for it.
        self._budget = min(budget, _CPU_TOKENS) if device == "cpu" else budget
        self._most = most_inputs
        # Fast tokenizers keep their settings where two threads may not change them at once ("Already borrowed").
        self._next, self._turn = threading.Lock(), threading.Lock()

    def plan(self, inputs: Sequence[Input]) -> list[Batch]:
        """Group `inputs` by their length in characters."""
        lengths = [_characters(value) // _CHARACTERS_PER_TOKEN + 1 for value in inputs]
        return [Batch(places, [inputs[place] for place in places]) for places in group(lengths, self._budget, self._most)]

    def run(self, batch: Batch) -> list[Value]:
        """Compute with PyTorch's threads, one batch after the other: a query waits for one of the backlog's, never for two."""
        with self._next:
            self._turn.acquire()
        try:
            return self._compute(batch.inputs)
        finally:
            self._turn.release()


def pick_device(wanted: str, setting: str) -> str:
    """The device to use for a spec's: `auto` is CUDA if there is one. Raises ModelError when the one asked for is not there."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there.get(wanted):
        raise ModelError(f"PyTorch finds no {wanted} on this machine: set {setting} to auto or cpu")
    return wanted


def _characters(value: Input) -> int:
    return len(value) if isinstance(value, str) else len(value[0]) + len(value[1])
