"""Reads damaged files, as `python -m soak_child SAMPLES REGISTRY MEMORY_MB`; it may hang or die of them.

Each request is `[sample, seed, first, count]`; each input is answered by `[kind, what]`, both empty when nothing is wrong.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from random import Random

import msgspec
from damage import damaged

from khoj_ls.content.refusal import Refused
from khoj_ls.content.registry import places_fault
from khoj_ls.workers.child import limit_this_process
from khoj_ls.workers.frames import read_frame, write_frame


def main(folder: str, registry_name: str, memory_mb: str) -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints would break the frames
    module, _, function = registry_name.partition(":")
    registry = getattr(importlib.import_module(module), function)()
    samples = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    limit_this_process(memory_mb=int(memory_mb))
    write_frame(answers, ["ready", ""])
    while (body := read_frame(requests)) is not None:
        sample, seed, first, count = msgspec.msgpack.decode(body)
        processor = registry.for_path(sample)
        others = [data for name, data in samples.items() if registry.for_path(name) is processor]
        for number in range(first, first + count):
            write_frame(answers, judged(processor, input_of(samples[sample], others, seed, sample, number), sample))


def input_of(data: bytes, others: list[bytes], seed: int, sample: str, number: int) -> bytes:
    """The bytes of an input; number 0 is the sample as it is."""
    return damaged(data, others, Random(f"{seed}/{sample}/{number}")) if number else data


def judged(processor, data: bytes, path: str) -> tuple[str, str]:
    """What is wrong with what a processor makes of `data`."""
    try:
        parsed = processor.parse(data, path)
        if fault := places_fault(parsed.entries):
            return "places", fault
        msgspec.msgpack.encode(parsed)
    except (Refused, MemoryError):
        return "", ""
    except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return "raised", f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}: {error}"[:300]
    return "", ""


if __name__ == "__main__":
    main(*sys.argv[1:])
