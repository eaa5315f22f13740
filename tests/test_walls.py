"""The rooms of the house, kept apart by reading the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLATFORMS = {"magento", "shopify", "file"}
CLV_FORBIDDEN = {"connectors", "jobs", "sync", "requests", "tenacity", "dotenv", "os", "logging"}


IMPORTS = (ast.Import, ast.ImportFrom)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> set[str]:
    return set(names_of(tree_of(path), str(path)))


@cache
def attributes_of(path: Path) -> set[str]:
    return {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}


def names_of(tree: ast.AST, path: str = "") -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def crosses(path: Path, forbidden: set[str]) -> set[str]:
    return {
        name for name in imports_of(path) for wall in forbidden if f"{name}.".startswith(f"{wall}.")
    }


def crossing(paths: Iterable[Path], forbidden: set[str]) -> dict[str, set[str]]:
    """What is imported through the walls, by file."""
    found = {str(path.relative_to(ROOT)): crosses(path, forbidden) for path in paths}
    return {path: names for path, names in found.items() if names}


def reading(paths: Iterable[Path], forbidden: set[str]) -> dict[str, set[str]]:
    """Attributes that nobody may touch there, by file."""
    found = {str(path.relative_to(ROOT)): attributes_of(path) & forbidden for path in paths}
    return {path: names for path, names in found.items() if names}


def platform_of(path: Path) -> str | None:
    head = path.relative_to(ROOT / "connectors").parts[0].removesuffix(".py")
    return head if head in PLATFORMS else None


def test_clv_knows_no_outside_world() -> None:
    assert crossing(sources("clv"), CLV_FORBIDDEN) == {}


def test_clv_reads_no_clock_and_no_file() -> None:
    clocks = {"now", "utcnow", "today"}
    files = {"environ", "getenv", "read_text", "write_text"}
    assert reading(sources("clv"), clocks | files) == {}


def test_connectors_know_neither_clv_nor_jobs_nor_sync() -> None:
    assert crossing(sources("connectors"), {"clv", "jobs", "sync"}) == {}


@pytest.mark.parametrize("own", sorted(PLATFORMS))
def test_a_platform_imports_no_other_platform_and_no_store(own: str) -> None:
    paths = [path for path in sources("connectors") if platform_of(path) == own]
    others = {f"connectors.{name}" for name in PLATFORMS - {own}}
    assert paths
    assert crossing(paths, others | {"connectors.store"}) == {}


def test_only_the_http_room_imports_requests_and_tenacity() -> None:
    rest = [
        path
        for path in sources("connectors")
        if not {"http", "sandbox"} & set(path.relative_to(ROOT).parts)
    ]
    assert crossing(rest, {"requests", "tenacity"}) == {}


def test_only_one_module_imports_opentelemetry() -> None:
    every = [*sources("connectors"), *sources("clv"), *sources("jobs"), ROOT / "sync.py"]
    assert list(crossing(every, {"opentelemetry"})) == ["connectors/tracing.py"]


def test_only_the_spark_room_imports_pyspark() -> None:
    spark = ROOT / "connectors" / "spark"
    rest = [path for path in sources("connectors") if path.parent != spark]
    assert crossing(rest, {"pyspark", "py4j"}) == {}


def test_spark_is_imported_only_where_it_is_asked_for() -> None:
    """It is an extra: what imports the room as such must not need it, nor the rest the room."""
    found = {}
    for path in sources("connectors"):
        top = ast.Module([node for node in tree_of(path).body if isinstance(node, IMPORTS)], [])
        spark = {"pyspark", "py4j"} | (set() if "spark" in path.parts else {"connectors.spark"})
        walls = tuple(f"{name}." for name in spark)
        if names := {name for name in names_of(top) if f"{name}.".startswith(walls)}:
            found[str(path)] = names
    assert found == {}


def test_jobs_read_no_environment_and_know_no_platform() -> None:
    platforms = {f"connectors.{name}" for name in (*PLATFORMS, "http", "sandbox")}
    assert crossing(sources("jobs"), {"sync", "os", "dotenv", "typer", *platforms}) == {}


@pytest.mark.parametrize("name", ["schema.py", "errors.py"])
def test_schema_and_errors_import_nothing_of_ours(name: str) -> None:
    path = ROOT / "connectors" / name
    assert crossing([path], {"connectors", "clv", "jobs", "sync"}) == {}


def test_only_the_command_line_reads_the_environment() -> None:
    assert reading(sources("connectors") + sources("clv"), {"environ", "getenv"}) == {}
