"""Python, SQLite and the packages that do the work."""

from __future__ import annotations

import importlib
import sqlite3
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from khoj_ls import __version__
from khoj_ls.cli.checks import Check


def checks() -> Iterator[Check]:
    """All of them."""
    yield Check("khoj-ls", "ok", f"{__version__} in {Path(__file__).parents[2]}")
    yield _python()
    yield _sqlite()
    yield _vector_index()
    yield _onnxruntime()
    yield _torch()


def _python() -> Check:
    found = f"{'.'.join(map(str, sys.version_info[:3]))}, {sys.executable}"
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return Check("python", "ok", found)
    return Check("python", "warn", found, "khoj-ls is tested on Python 3.10 to 3.13: install it into one of these")


def _sqlite() -> Check:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='')")
    except sqlite3.OperationalError as error:
        return Check("sqlite", "fail", f"{sqlite3.sqlite_version}: {error}", "use a Python whose SQLite has FTS5")
    finally:
        connection.close()
    return Check("sqlite", "ok", f"{sqlite3.sqlite_version} with FTS5")


def _vector_index() -> Check:
    problem = _import_problem("hnswlib")
    if problem is None:
        return Check("hnswlib", "ok", _version("chroma-hnswlib", "hnswlib"))
    return Check(
        "hnswlib",
        "warn",
        f"not usable ({problem}): exact search serves, which is fast enough up to some 30,000 passages",
        "on Python 3.10-3.12 (on Windows to 3.11) run: pip install chroma-hnswlib; "
        "else: pip install 'khoj-ls[hnsw]' (needs a C++ compiler)",
    )


def _onnxruntime() -> Check:
    problem = _import_problem("onnxruntime")
    if problem is None:
        return Check("onnxruntime", "ok", f"{_version('onnxruntime')}, its telemetry is off")
    return Check("onnxruntime", "fail", f"not usable: {problem}", "run: pip install --force-reinstall onnxruntime")


def _torch() -> Check:
    # Not imported: that takes seconds, and only preparing a model needs it.
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return Check(
            "torch", "fail", "not installed: no model can be prepared", "run: pip install torch (the CPU build will do)"
        )
    return Check("torch", "ok", version)


def _import_problem(module: str) -> str | None:
    """Why `module` cannot be imported, or None when it can."""
    try:
        importlib.import_module(module)
    except ImportError as error:  # missing, or a shared library it needs is
        return str(error)
    return None


def _version(*distributions: str) -> str:
    """Version of the first of some distributions that is installed."""
    installed = {str(found.metadata["Name"]).lower() for found in metadata.distributions()}
    return next((f"{metadata.version(name)} ({name})" for name in distributions if name in installed), "unknown version")
