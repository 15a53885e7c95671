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
_MEMORY_FOR_ONE = 1 << 30
"""Bytes that 4,096 tokens of a large model (24 layers of 1,024) stay well below in 16 bits; what needs more is halved."""
_MOST_TIMES = 16

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
            return self._in_memory(batch.inputs)
        finally:
            self._turn.release()

    def _in_memory(self, inputs: list[Any]) -> list[Value]:
        """Values of `inputs`; where the accelerator has no memory for all of them, those of one half and then of the other."""
        try:
            return self._compute(inputs)
        except RuntimeError as error:
            # torch.OutOfMemoryError on CUDA, a plain RuntimeError on MPS.
            if len(inputs) == 1 or "out of memory" not in str(error).lower():
                raise
        # Outside of the handler: the error holds on to the tensors of what failed.
        half = self._most = max(1, len(inputs) // 2)
        return self._in_memory(inputs[:half]) + self._in_memory(inputs[half:])


def pick_device(wanted: str, setting: str) -> str:
    """The device to use for a spec's: `auto` is CUDA if there is one. Raises ModelError when the one asked for is not there."""
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there.get(wanted):
        raise ModelError(f"PyTorch finds no {wanted} on this machine: set {setting} to auto or cpu")
    return wanted


def times_as_much(device: str) -> int:
    """How many times as much as on the CPU an accelerator is given at once: by its free memory, 1 to 16."""
    import torch

    if device == "cuda":
        free = torch.cuda.mem_get_info()[0]
    elif device == "mps":
        free = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    else:
        return 1
    return int(max(1, min(_MOST_TIMES, free // _MEMORY_FOR_ONE)))


def _characters(value: Input) -> int:
    return len(value) if isinstance(value, str) else len(value[0]) + len(value[1])
