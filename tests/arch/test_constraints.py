"""constraints.txt: for every Python that is supported, one version of all that is needed there."""

from __future__ import annotations

import re
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from audit import INSTALLERS, pins
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from khoj_ls.config import toml

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = toml.read(ROOT / "pyproject.toml")
PYTHONS = re.findall(r"Programming Language :: Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))


def test_the_pythons_that_are_named_are_those_that_are_let_in():
    let_in = SpecifierSet(PROJECT["project"]["requires-python"])
    assert [f"3.{minor}" for minor in range(30) if f"3.{minor}.1" in let_in] == PYTHONS


@pytest.mark.parametrize("python", PYTHONS)
def test_a_package_has_one_version_on_each(python: str) -> None:
    chosen = Counter(canonicalize_name(pin.name) for pin in pins(CONSTRAINTS, python))
    named = {canonicalize_name(Requirement(line).name) for line in CONSTRAINTS.splitlines()}
    assert {name: chosen[name] for name in named if chosen[name] != 1} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_all_that_is_needed_has_one(python: str) -> None:
    """As far as what is installed here tells: a package in another version may need others, on another Python."""
    chosen = {canonicalize_name(pin.name) for pin in pins(CONSTRAINTS, python)}
    assert sorted(needed(python) - chosen - {*INSTALLERS}) == []


@pytest.mark.parametrize(
    ("python", "system", "machine", "brings"),
    [
        ("3.10", "linux", "x86_64", "chroma-hnswlib"),
        ("3.12", "linux", "aarch64", "chroma-hnswlib"),
        ("3.12", "darwin", "arm64", "chroma-hnswlib"),
        ("3.11", "win32", "AMD64", "chroma-hnswlib"),
        ("3.12", "win32", "AMD64", "hnswlib"),
        ("3.13", "linux", "x86_64", "hnswlib"),
        ("3.11", "linux", "riscv64", "hnswlib"),
    ],
)
def test_the_vector_index_is_compiled_only_where_it_has_no_wheel(python: str, system: str, machine: str, brings: str) -> None:
    """hnswlib, which is compiled, comes by the extra `hnsw` alone."""
    here = {"python_version": python, "sys_platform": system, "platform_machine": machine}
    about = PROJECT["project"]
    lines = [Requirement(line) for line in [*about["dependencies"], *about["optional-dependencies"]["hnsw"]]]
    found = [line.name for line in lines if "hnswlib" in line.name and line.marker and line.marker.evaluate(here)]
    assert found == [brings]


def needed(python: str) -> set[str]:
    """What khoj-ls, its extras and its tests need on this Python, and what that needs."""
    about = PROJECT["project"]
    extras = [line for extra in about["optional-dependencies"].values() for line in extra]
    waiting = [Requirement(line) for line in [*about["dependencies"], *extras, *PROJECT["dependency-groups"]["dev"]]]
    found: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or name == "khoj-ls" or not _wanted(requirement, python):
            continue
        found.add(name)
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        waiting += map(Requirement, lines)
    return found


def _wanted(requirement: Requirement, python: str) -> bool:
    on_it = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    return requirement.marker is None or requirement.marker.evaluate(on_it)
