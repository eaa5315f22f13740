"""What we depend on, and what must not lie in the tree."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def tool(name: str) -> ModuleType:
    """A program of .ci/, whose libraries may not be there."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    return module


def blocks(lock: str) -> list[str]:
    return [block for block in re.split(r"\n(?=\S)", lock) if "==" in block.split("\n")[0]]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-spark.lock"])
def test_every_locked_package_has_its_hashes(name: str) -> None:
    locked = blocks((ROOT / name).read_text(encoding="utf-8"))
    assert len(locked) > 40
    assert [block for block in locked if "--hash=sha256:" not in block] == []


def test_spark_is_locked_apart_and_with_the_same_versions() -> None:
    """Who tests everything else downloads none of its 430 MB."""
    spark = (ROOT / "requirements-spark.lock").read_text(encoding="utf-8")
    here, there = ({block.split(" ")[0] for block in blocks(lock)} for lock in (LOCK, spark))
    assert "pyspark" not in LOCK
    assert {one.split("==")[0] for one in there - here} <= {
        *("pyspark", "py4j", "grpcio", "grpcio-status", "googleapis-common-protos", "protobuf"),
    }


def said(*packages: dict[str, object]) -> str:
    return json.dumps({"dependencies": list(packages)})


GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


def test_a_known_vulnerability_is_a_failure_that_names_its_mend() -> None:
    assert tool("audit").verdict(said(GOOD, BAD)) == (1, "b 2: PYSEC-1, mended in 3")


@pytest.mark.parametrize("answer", [None, said(), said(SKIPPED)])
def test_where_the_data_cannot_be_reached_that_is_said_and_is_no_failure(
    answer: str | None,
) -> None:
    code, told = tool("audit").verdict(answer)
    assert code == 0
    assert "unaudited" in told


def test_what_the_data_does_not_know_is_counted() -> None:
    assert tool("audit").verdict(said(GOOD, SKIPPED)) == (
        0,
        "1 locked packages, no known vulnerability, 1 are unknown to it.",
    )


def test_the_bill_of_materials_lists_all_that_is_locked() -> None:
    sbom = tool("sbom")
    made = sbom.bom(LOCK, "1.0")
    assert {(one.name, one.version) for one in made.components} == {
        (name, version) for name, version, _ in sbom.pinned(LOCK)
    }
    assert len(made.components) == len(re.findall(r"(?m)^\S+==", LOCK))


# ------------------------------------------------------------------------------------------ secrets

#: What real secrets look like. `PLANTED` is what each has to find.
SECRETS = {
    "a Shopify token": r"shp(?:at|ca|pa|ss)_[0-9a-f]{32}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
    "an AWS key": r"\bAKIA[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[0-9A-Za-z]{36}\b",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "a JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a password in an address": r"https?://[^/\s:@{}\"']+:[^/\s:@{}\"']{6,}@(?!shop\.example)",
    "a credential": r"(?im)^CLV_\w+_(?:TOKEN|SECRET|KEY)=(?!\s*$)\S{12,}$",
}
HEX = "0123456789abcdef"
PLANTED = {
    "a Shopify token": "shpat_" + HEX * 2,
    "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "an AWS key": "AKIA" + "IOSFODNN7EXAMPLF",
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a Google key": "AIza" + "x" * 35,
    "a Slack token": "xoxb-" + "1234567890-abc",
    "a JSON web token": "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 12,
    "a password in an address": "https://me:" + "hunter2hunter2" + "@example.org/x",
    "a credential": "CLV_EU_TOKEN" + "=" + "abcdefghijklmnop",
}
#: Long random texts that are no secrets, by what stands around them.
KNOWN = re.compile(r"sha256:|sha1|digest|hash|https?://|data:image")


def files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            yield ROOT / name


def found_in(text: str) -> list[str]:
    return [what for what, pattern in SECRETS.items() if re.search(pattern, text)]


@pytest.mark.parametrize("what", SECRETS)
def test_a_planted_secret_would_be_found(what: str) -> None:
    assert what in found_in(PLANTED[what])


def test_no_secret_lies_in_the_tree() -> None:
    every = list(files())
    if not every:
        pytest.skip("this is no git checkout")
    found = {
        str(path.relative_to(ROOT)): told
        for path in every
        if (told := found_in(path.read_bytes().decode(errors="replace")))
    }
    assert found == {}


def randomness(text: str) -> float:
    """Bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def test_no_assignment_in_the_code_holds_a_long_random_text() -> None:
    assigned = re.compile(
        r"""(?i)\b\w*(?:token|secret|password|passwd|api_?key)\w*["']?\s*[:=]\s*["']([\w+/=-]{24,})["']"""
    )
    assert assigned.search('api_key = "' + "q8Zt3LmX0vRk7WbN2cYd5HsJ" + '"')
    found = [
        (str(path.relative_to(ROOT)), match[1])
        for path in files()
        if path.suffix in {".py", ".php", ".xml", ".toml", ".yml", ".sh"}
        for line in path.read_text(encoding="utf-8").splitlines()
        if (match := assigned.search(line)) and not KNOWN.search(line)
        if randomness(match[1]) > 4.0 and re.search(r"\d", match[1]) and path != Path(__file__)
    ]
    assert found == []
