"""`khoj-ls sbom`: what is installed with khoj-ls, as a software bill of materials."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

import click

from khoj_ls import __version__
from khoj_ls.cli.errors import FOUND
from khoj_ls.cli.output import echo_json

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_HELP = """Print what is installed with khoj-ls, as CycloneDX 1.5 JSON (a software bill of materials).

It lists khoj-ls and every package that it depends on, extras that are installed included, with versions, licences and the
hash of what pip has recorded. Nothing is looked up elsewhere: feed it to a scanner of yours.

\b
Example:
  khoj-ls sbom > khoj-ls.cdx.json
"""


@click.command("sbom", help=_HELP)
def command() -> int:
    """Print it."""
    echo_json(bill_of_materials())
    return FOUND


def bill_of_materials() -> dict[str, Any]:
    """CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/) of this installation."""
    installed = {_canonical(found.metadata["Name"]): found for found in metadata.distributions() if found.metadata["Name"]}
    needs = _closure("khoj-ls", installed)
    components = [_component(installed[name]) for name in sorted(needs) if name != "khoj-ls"]
    own = {"type": "application", "bom-ref": _reference("khoj-ls", __version__), "name": "khoj-ls", "version": __version__}
    references = {name: _reference(name, installed[name].version) for name in needs if name in installed}
    references["khoj-ls"] = str(own["bom-ref"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "component": {**own, "purl": own["bom-ref"], "licenses": [{"license": {"id": "MIT"}}]},
        },
        "components": components,
        "dependencies": [
            {"ref": references[name], "dependsOn": sorted(references[other] for other in others)}
            for name, others in sorted(needs.items())
        ],
    }


def _closure(root: str, installed: dict[str, metadata.Distribution]) -> dict[str, set[str]]:
    """Of each package that is needed, directly or not, those that it needs; only what is installed."""
    needs: dict[str, set[str]] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name in needs:
            continue
        required = installed[name].requires or [] if name in installed else []
        needs[name] = {found for found in _required(required, own=name == root) if found in installed and found != name}
        waiting += needs[name]
    return needs


def _required(requirements: list[str], *, own: bool) -> Iterator[str]:
    """Names of requirements. Of khoj-ls' own extras count those that are installed; of other packages' none."""
    for requirement in requirements:
        marker = requirement.partition(";")[2]
        if (own or not _EXTRA.search(marker)) and (found := _NAME.match(requirement)):
            yield _canonical(found[0])


def _component(found: metadata.Distribution) -> dict[str, Any]:
    name, version = _canonical(found.metadata["Name"]), found.version
    reference = _reference(name, version)
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    }
    if licence := _licence(found):
        component["licenses"] = [licence]
    if record := found.read_text("RECORD"):
        # Of the list of all its files with their hashes: another file in it is another hash.
        component["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(record.encode()).hexdigest()}]
    return component


def _licence(found: metadata.Distribution) -> dict[str, Any] | None:
    about = found.metadata
    if expression := about.get_all("License-Expression"):
        return {"expression": expression[0]}
    classified = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    named = " AND ".join(classified) or next(iter("".join(about.get_all("License") or []).strip().splitlines()), "")
    return {"license": {"name": named[:200]}} if named else None


def _reference(name: str, version: str) -> str:
    """A package URL (https://github.com/package-url/purl-spec)."""
    return f"pkg:pypi/{name}@{version.replace('+', '%2B')}"


def _canonical(name: str) -> str:
    """As PEP 503 writes names."""
    return re.sub(r"[-_.]+", "-", name).lower()
