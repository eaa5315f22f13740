"""Dockerfile, compose file and CronJob: linted, held against schemas, and their shells run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from started import ROOT

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")

HERE = Path(__file__).parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
MANIFESTS = list(
    yaml.safe_load_all((ROOT / "docs/schedule/cronjob.yaml").read_text(encoding="utf-8"))
)
JOB = MANIFESTS[1]["spec"]["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]


def complaints(schema: Any, document: Any) -> list[str]:
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [error.message for error in validator.iter_errors(document)]


# ---------------------------------------------------------------------------------- the image


def test_the_dockerfile_passes_the_linter() -> None:
    beside = Path(sys.executable).with_name("hadolint")
    linter = str(beside) if beside.exists() else shutil.which("hadolint")
    if linter is None:
        pytest.skip("hadolint is not installed: nobody reads the Dockerfile")
    asked = [linter, "--no-color", ROOT / "Dockerfile"]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_image_is_pinned_locked_and_not_roots() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == [
        "FROM python:${PYTHON} AS build",
        "FROM python:${PYTHON}",
    ]
    (pinned,) = (line.partition("=")[2] for line in lines if line.startswith("ARG PYTHON="))
    assert pinned.split("-")[0].count(".") == 2
    assert any("--require-hashes" in line for line in lines)
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]


def test_every_package_and_every_room_comes_into_the_image() -> None:
    copied = {
        word.rstrip("/")
        for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    let_in = {
        line[1:].rstrip("/")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert copied == let_in
    assert {"clv", "connectors", "jobs", "sync.py", "requirements.lock", "LICENSE"} <= copied
    assert not any(name.startswith(".env") for name in let_in)


# --------------------------------------------------------------------------------- compose


def test_the_compose_file_fits_the_specification() -> None:
    vendored = files(pytest.importorskip("check_jsonschema")) / "builtin_schemas/vendor"
    schema = json.loads((vendored / "compose-spec.json").read_text(encoding="utf-8"))
    assert complaints(schema, COMPOSE) == []
    wrong = {**COMPOSE, "services": {"run": {**COMPOSE["services"]["run"], "readonly": True}}}
    assert complaints(schema, wrong)


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_a_service_can_do_no_more_than_it_has_to(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "10001:10001"
    assert [one.partition(":")[0] for one in service["tmpfs"]] == ["/tmp"]  # noqa: S108
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_no_secret_stands_in_the_files() -> None:
    for service in COMPOSE["services"].values():
        assert service["env_file"] == ".env"
        assert set(service["environment"]) <= {"CLV_STORE", "EVERY_SECONDS"}
    assert POD["containers"][0]["env"] == [{"name": "CLV_STORE", "value": "/data/store.duckdb"}]


# ------------------------------------------------------------------------------ Kubernetes


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "CronJob"])
def test_the_manifests_fit_kubernetes_own_schema(kind: str) -> None:
    schema = json.loads((HERE / "kubernetes-1.34.json").read_text(encoding="utf-8"))
    schema["$ref"] = f"#/$defs/{kind}"
    (document,) = (one for one in MANIFESTS if one["kind"] == kind)
    assert complaints(schema, document) == []
    assert complaints(schema, {**document, "spec": {**document["spec"], "policy": "x"}})


def test_the_cron_job_is_alone_careful_and_no_root() -> None:
    spec = MANIFESTS[1]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] > 0
    assert JOB["backoffLimit"] == 3
    assert POD["restartPolicy"] == "Never"
    assert POD["securityContext"]["runAsNonRoot"] is True
    container = POD["containers"][0]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    (rule,) = JOB["podFailurePolicy"]["rules"]
    assert not {0, 3, 11, 13} & set(rule["onExitCodes"]["values"])


# --------------------------------------------------------- what their shells do with exit and stop

STUB = """#!/bin/sh
trap 'echo drained >> told; sleep 0.2; exit 130' TERM
echo "$@" >> told
[ -e long ] && { sleep 30 & wait $!; }
exit "$(cat code)"
"""


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    (tmp_path / "clv-sync").write_text(STUB)
    (tmp_path / "clv-sync").chmod(0o755)
    return tmp_path


def shell(folder: Path, script: str, **more: str) -> subprocess.Popen[bytes]:
    path = f"{folder}:{os.environ['PATH']}"
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        ["/bin/sh", "-c", script], cwd=folder, env={"PATH": path, **more}, **silent
    )


def told(folder: Path, lines: int) -> list[str]:
    """What the stub has told once there are so many lines of it."""
    for _ in range(500):
        found = (folder / "told").read_text().splitlines() if (folder / "told").exists() else []
        if len(found) >= lines:
            return found
        time.sleep(0.01)
    raise AssertionError(found)


SCRIPTS = {
    "kubernetes": POD["containers"][0]["args"][0],
    "compose": COMPOSE["services"]["run"]["command"][0].replace("$$", "$"),
}


@pytest.mark.parametrize("code", [0, 1, 3, 11, 13, 16])
def test_the_cron_jobs_shell_hands_the_exit_code_on(code: int, stub: Path) -> None:
    (stub / "code").write_text(str(code))
    assert shell(stub, SCRIPTS["kubernetes"]).wait(10) == (0 if code in (3, 11) else code)


@pytest.mark.parametrize(("where", "code"), [("kubernetes", 130), ("compose", 0)])
def test_a_stop_reaches_the_run_and_is_waited_for(where: str, code: int, stub: Path) -> None:
    (stub / "long").touch()
    started = shell(stub, SCRIPTS[where], EVERY_SECONDS="60")
    assert told(stub, 1) == ["--non-interactive run"]
    time.sleep(0.1)  # its trap is set before it tells
    started.send_signal(signal.SIGTERM)
    assert started.wait(10) == code
    assert told(stub, 2)[1] == "drained"


def test_the_composed_job_runs_again_whatever_the_exit_code(stub: Path) -> None:
    (stub / "code").write_text("13")
    started = shell(stub, SCRIPTS["compose"], EVERY_SECONDS="0.05")
    assert told(stub, 3)[:3] == ["--non-interactive run"] * 3
    started.send_signal(signal.SIGTERM)
    assert started.wait(10) == 0
