"""The rooms of the house, kept apart by reading the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLATFORMS = {"magento", "shopify", "file"}
CLV_FORBIDDEN = {"connectors", "jobs", "sync", "requests", "tenacity", "dotenv", "os", "logging"}


IMPORTS = (ast.Import, ast.ImportFrom)


def imports_of(path: Path) -> Iterator[str]:
    return names_of(ast.parse(path.read_text(encoding="utf-8")), str(path))


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


def platform_of(path: Path) -> str | None:
    head = path.relative_to(ROOT / "connectors").parts[0].removesuffix(".py")
    return head if head in PLATFORMS else None


@pytest.mark.parametrize("path", sources("clv"), ids=lambda p: p.name)
def test_clv_knows_no_outside_world(path: Path) -> None:
    assert not crosses(path, CLV_FORBIDDEN)


@pytest.mark.parametrize("path", sources("clv"), ids=lambda p: p.name)
def test_clv_reads_no_clock_and_no_file(path: Path) -> None:
    names = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    assert not names & {"now", "utcnow", "today", "environ", "getenv", "read_text", "write_text"}


@pytest.mark.parametrize("path", sources("connectors"), ids=lambda p: str(p.relative_to(ROOT)))
def test_connectors_know_neither_clv_nor_jobs_nor_sync(path: Path) -> None:
    assert not crosses(path, {"clv", "jobs", "sync"})


@pytest.mark.parametrize("path", sources("connectors"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_platform_imports_no_other_platform_and_no_store(path: Path) -> None:
    own = platform_of(path)
    if own is None:
        return
    others = {f"connectors.{name}" for name in PLATFORMS - {own}}
    assert not crosses(path, others | {"connectors.store"})


@pytest.mark.parametrize("path", sources("connectors"), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_http_room_imports_requests_and_tenacity(path: Path) -> None:
    if not {"http", "sandbox"} & set(path.relative_to(ROOT).parts):
        assert not crosses(path, {"requests", "tenacity"})


def test_only_one_module_imports_opentelemetry() -> None:
    every = [*sources("connectors"), *sources("clv"), *sources("jobs"), ROOT / "sync.py"]
    found = [
        path.relative_to(ROOT).as_posix() for path in every if crosses(path, {"opentelemetry"})
    ]
    assert found == ["connectors/tracing.py"]


@pytest.mark.parametrize("path", sources("connectors"), ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_spark_room_imports_pyspark(path: Path) -> None:
    if path.parent != ROOT / "connectors" / "spark":
        assert not crosses(path, {"pyspark", "py4j"})


@pytest.mark.parametrize("path", sources("connectors"), ids=lambda p: str(p.relative_to(ROOT)))
def test_spark_is_imported_only_where_it_is_asked_for(path: Path) -> None:
    """It is an extra: what imports the room as such must not need it, nor the rest the room."""
    top = ast.Module(
        [node for node in ast.parse(path.read_text()).body if isinstance(node, IMPORTS)], []
    )
    spark = {"pyspark", "py4j"} | (set() if "spark" in path.parts else {"connectors.spark"})
    assert not {
        name for name in names_of(top) if f"{name}.".startswith(tuple(f"{s}." for s in spark))
    }


@pytest.mark.parametrize("path", sources("jobs"), ids=lambda p: p.name)
def test_jobs_read_no_environment_and_know_no_platform(path: Path) -> None:
    platforms = {f"connectors.{name}" for name in (*PLATFORMS, "http", "sandbox")}
    assert not crosses(path, {"sync", "os", "dotenv", "typer", *platforms})


@pytest.mark.parametrize("name", ["schema.py", "errors.py"])
def test_schema_and_errors_import_nothing_of_ours(name: str) -> None:
    assert not crosses(ROOT / "connectors" / name, {"connectors", "clv", "jobs", "sync"})


@pytest.mark.parametrize("path", sources("connectors") + sources("clv"), ids=lambda p: p.name)
def test_only_the_command_line_reads_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & {"environ", "getenv"}
