"""Batches of texts of like length: padding is work for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], budget: int, most: int = 16) -> Iterator[list[int]]:
    """Indices grouped so that a group's count times its longest length stays within `budget` tokens, longest first."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    at = 0
    while at < len(order):
        size = max(1, min(most, budget // max(1, lengths[order[at]])))
        yield order[at : at + size]
        at += size
