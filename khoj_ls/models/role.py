"""What a kind of model is called, and the processes that serve it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """Names of one kind of model, for messages and processes."""

    process: str
    """What its worker is called: `encoder`."""
    model: str
    """`embedding model`."""
    doing: str
    """What the worker does with an input: `embedding`."""
    worker: str
    """Module of the worker process."""
    preparer: str
    """Module of the process that prepares a model."""
