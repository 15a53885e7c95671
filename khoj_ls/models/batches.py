"""How the inputs of the backlog are cut into batches, and what every backend can do with one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from khoj_ls.models.messages import Input, Value


@dataclass(frozen=True)
class Batch:
    """Inputs that are computed at once."""

    places: list[int]
    """Where they stand among the inputs given."""
    inputs: Any
    """What the backend made of them."""


class Backend(Protocol):
    """A loaded model. Every method may be called by several threads at once."""

    side_by_side: int
    """How many batches are best computed at the same time."""

    def plan(self, inputs: Sequence[Input]) -> list[Batch]:
        """Cut `inputs` into batches; every one is in one."""
        ...

    def run(self, batch: Batch) -> list[Value]:
        """Values of a batch, in its order."""
        ...


@dataclass(frozen=True)
class Split:
    """A model that is run in two ways: one for the backlog, and one for the queries, whose values can be compared with its."""

    backlog: Backend
    queries: Backend


def group(lengths: Sequence[int], budget: int, most: int) -> Iterator[list[int]]:
    """Places of inputs of like length, longest first: padding is work for nothing.

    A group's count times its longest length stays within `budget` tokens, its count within `most`; one input may exceed it.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    at = 0
    while at < len(order):
        size = max(1, min(most, budget // max(1, lengths[order[at]])))
        yield order[at : at + size]
        at += size
