"""The library's face: names that are there, and cost nothing until they are used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import khoj_ls


@pytest.mark.parametrize("name", khoj_ls.__all__)
def test_what_is_promised_is_there(name):
    assert getattr(khoj_ls, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Khoj'"):
        khoj_ls.Khoj  # noqa: B018 - looking the name up is the test


def test_importing_the_package_imports_nothing_else():
    code = "import sys, khoj_ls; print(sorted(m for m in sys.modules if m.startswith('khoj_ls.')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_libraries_are_told_to_report_nothing_before_they_are_imported():
    names = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    code = f"import khoj_ls, os; print(*(os.environ[name] for name in {names}))"
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout == "1 1 1\n"
