"""The software bill of materials: what requirements.lock pins, with hashes, as CycloneDX JSON."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]


def pinned(lock: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and SHA-256 hashes of each package."""
    for block in re.split(r"\n(?=\S)", lock):
        head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block)
        if head:
            yield head[1], head[2], re.findall(r"--hash=sha256:([0-9a-f]{64})", block)


def bom(lock: str, version: str) -> Bom:
    made = Bom()
    made.metadata.component = Component(
        name="clv-sync", version=version, type=ComponentType.APPLICATION
    )
    for name, pinned_at, hashes in pinned(lock):
        package = Component(
            name=name,
            version=pinned_at,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, name, pinned_at),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
        )
        made.components.add(package)
        made.register_dependency(package)
    made.register_dependency(made.metadata.component, made.components)
    return made


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    sys.stdout.write(JsonV1Dot6(bom(lock, project["version"])).output_as_string(indent=2) + "\n")
