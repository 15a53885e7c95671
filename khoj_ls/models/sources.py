"""Where a model's weights lie on this machine, and whether they are what they were. Nothing is fetched here.

A Hugging Face name is looked up in the hub's cache (`models--OWNER--NAME/snapshots/COMMIT`), as huggingface_hub lays it out;
`package:NAME` is the model that an installed Python package carries among its files.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from khoj_ls.core.errors import ModelError

_DESCRIPTIONS = ("modules.json", "config_sentence_transformers.json", "config.json")
"""A folder with one of them holds a model."""
_DECIDING = frozenset((".json", ".safetensors", ".txt", ".model", ".jinja"))
"""Files that make a vector what it is; the rest are other exports, pictures and texts about the model."""
_BESIDE = frozenset(("onnx", "openvino", "assets", "coreml", "runs"))
_LIBRARY = "sentence_transformers."
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_PACKAGE = re.compile(r"package:([A-Za-z_]\w*)", re.ASCII)


def source_of(setting: str) -> str | None:
    """The source that a setting names: a folder by its full path, a name like owner/model, `package:NAME`; else None."""
    folder = Path(setting).expanduser()
    if folder.is_absolute():
        return str(folder.resolve()) if folder.is_dir() else None
    if _PACKAGE.fullmatch(setting):
        return setting
    return setting if _HUB_NAME.fullmatch(setting) and not setting.startswith(".") else None


def unknown_model(model: str, setting: str, presets: Sequence[str]) -> ModelError:
    """The error for a setting that names neither a preset nor a source; `model` is what such a model is called."""
    near = difflib.get_close_matches(setting.lower(), presets, 1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    return ModelError(
        f"there is no {model} {setting!r}{meant}: use a preset ({', '.join(presets)}), a name like owner/model, "
        "or the full path of a folder that holds one"
    )


def slug(name: str, *identity: object) -> str:
    """A folder's name for a prepared model: what people call it, and a hash of all that changes what is made."""
    digest = hashlib.sha256(repr(identity).encode()).hexdigest()[:12]
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[-40:].strip("-")
    return f"{readable}-{digest}"


def locate(source: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of a model given by folder or by name; None when it is not on this machine."""
    if package := _PACKAGE.fullmatch(source):
        return _in_package(package[1])
    folder = Path(source)
    if folder.is_absolute():
        return folder if _holds_model(folder) else None
    for name in (source,) if "/" in source else (f"sentence-transformers/{source}", source):
        cached = hub_cache(environment) / f"models--{name.replace('/', '--')}"
        snapshots = cached / "snapshots"
        try:
            found = [snapshots / (cached / "refs" / "main").read_text().strip()]
        except OSError:
            found = sorted(snapshots.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for snapshot in found:
            if _holds_model(snapshot):
                return snapshot
    return None


def hub_cache(environment: Mapping[str, str]) -> Path:
    """Where huggingface_hub keeps what it fetched."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environment.get(name):
            return Path(environment[name]).expanduser()
    home = environment.get("HF_HOME") or Path(environment.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def signature(folder: Path) -> str:
    """Names, sizes and times of the files that make the model: while it stays, so does `revision`. Costs a few stats."""
    digest = hashlib.sha256()
    for path in _deciding(folder):
        found = path.stat()
        digest.update(f"{path.relative_to(folder).as_posix()} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def revision(folder: Path) -> str:
    """Hash of the contents of those files. Reads all the weights."""
    digest = hashlib.sha256()
    for path in _deciding(folder):
        digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return digest.hexdigest()[:32]


def sha256_of(path: Path) -> str:
    """Hex digest of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_harmless(folder: Path) -> None:
    """Refuse a model that would run code of its own, or whose weights are pickles. Raises ModelError.

    Older sentence-transformers import the classes that a local folder's modules.json names, whatever they are.
    """
    try:
        modules = json.loads((folder / "modules.json").read_bytes())
        foreign = [module["type"] for module in modules if not module["type"].startswith(_LIBRARY)]
    except FileNotFoundError:
        foreign = []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'modules.json'} is damaged ({error}): fetch the model again") from error
    if foreign:
        raise ModelError(
            f"the model in {folder} wants to run code of its own ({foreign[0]}), which is not allowed: choose another"
        )
    if not any(path.suffix == ".safetensors" for path in _deciding(folder)):
        raise ModelError(
            f"the model in {folder} has no weights in safetensors files, and other kinds may run code when they are read: "
            "choose a model that has them, or fetch the rest of it"
        )


def _in_package(name: str) -> Path | None:
    """The uppermost folder of an installed package that holds a model. None of its code is run."""
    found = importlib.util.find_spec(name)
    places = [Path(place) for place in found.submodule_search_locations or ()] if found else []
    holding = [Path(root) for place in places for root, _, _ in os.walk(place) if _holds_model(Path(root))]
    return min(holding, key=lambda folder: (len(folder.parts), folder), default=None)


def _holds_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _DESCRIPTIONS)


def _deciding(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _BESIDE and not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix in _DECIDING and not name.startswith("."):
                yield Path(root) / name
