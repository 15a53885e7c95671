"""The library's face: names that are there, and cost nothing until they are used."""

from __future__ import annotations

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
