"""The dependency audit that needs no network: `python tests/support/audit.py`, or `make audit`.

Every package that khoj-ls needs is installed in the version that constraints.txt names, and every file of it is the one that
was installed: its hash is that of pip's record (PEP 376). Exit status 1 where something differs, which is told.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from khoj_ls.cli.sbom import bill_of_materials

INSTALLERS = ("pip", "setuptools")
CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def differing(name: str) -> Iterator[str]:
    """Files of a package that are not those that were installed."""
    for file in metadata.files(name) or ():
        path = Path(str(file.locate()))
        # Scripts are made by whoever installs them, with the path of this Python in their first line.
        if file.hash is None or path.suffix == ".pyc" or path.parent.name in ("bin", "Scripts"):
            continue
        try:
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
        except OSError as error:
            yield f"{name}: {path}: {error.strerror}"
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            yield f"{name}: {path} is not the file that was installed"


def pins(constraints: str, python: str | None = None) -> Iterator[Requirement]:
    """What the lines of a constraints file ask for on a Python such as `3.10`; None: on the one that runs this."""
    environment = {} if python is None else {"python_version": python, "python_full_version": f"{python}.0"}
    for line in constraints.splitlines():
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(environment):
            yield pin


def unpinned(components: list[dict[str, str]], constraints: str) -> Iterator[str]:
    """Packages whose version nobody has chosen."""
    chosen = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins(constraints)}
    for each in components:
        # torch names the build behind a plus sign. What installs the others is the system's.
        if each["name"] not in INSTALLERS and chosen.get(each["name"]) != each["version"].partition("+")[0]:
            yield f"{each['name']} {each['version']}: constraints.txt says {chosen.get(each['name'], 'nothing')}"


def main() -> int:
    """Audit what is installed beside this Python."""
    components = bill_of_materials()["components"]
    wrong = [*unpinned(components, CONSTRAINTS.read_text(encoding="utf-8"))]
    for each in components:
        wrong += differing(each["name"])
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"{len(components)} packages, {len(wrong)} findings\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
