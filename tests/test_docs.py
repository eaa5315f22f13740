"""The pages say what is so: commands, options, settings, names and error texts are the program's.

The commands themselves run in tests/test_readme.py.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from started import ROOT

import sync
from clv import columns
from clv.segments import DEFAULT, FLAGS, NUMBERS, TEXTS
from connectors.config import KEYS, SHOP_KEYS
from connectors.file.rows import COLUMNS as FILE_COLUMNS
from connectors.magento.checks.denials import BOXES
from connectors.redaction import redacted
from connectors.schema import FIELDS
from connectors.shopify.check import SCOPES

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
#: Tells what was so on its day; nobody goes by it.
HISTORY = DOCS / "decisions.md"
SOURCES = ("connectors", "jobs", "clv")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


# --------------------------------------------------------------------------------------- reference


def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / ".ci" / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_program_says() -> None:
    page = text(DOCS / "reference.md")
    assert page == reference().written(page), "run: python .ci/reference.py"


def test_every_command_option_and_setting_is_explained() -> None:
    page = text(DOCS / "reference.md")
    assert {*KEYS, *(f"CLV_<SHOP>_{key}" for key in SHOP_KEYS)} == set(
        re.findall(r"^\| `((?:CLV|OTEL)_[A-Z_<>]+)`", page, re.M)
    )
    assert set(commands()) == set(re.findall(r"^### ([a-z-]+)$", page, re.M))
    unexplained = re.findall(r"^\| `[^`]+` \|(?:[^|\n]*\|){0,2} *\|$", page, re.M)
    assert not unexplained


# ---------------------------------------------------------------------------------- commands named


@cache
def commands() -> dict[str, set[str]]:
    """The options of each command; of all of them where the name is empty."""
    group: Any = typer.main.get_command(sync.app)
    every = _options(group)
    return {name: every | _options(one) for name, one in group.commands.items()}


def _options(command: Any) -> set[str]:
    return {name for param in command.params for name in param.opts if name.startswith("-")}


def _named_in(page: str) -> Iterator[list[str]]:
    """Commands in running text: `backfill --since DAY`, `clv-sync doctor`."""
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page):
        words = span.removeprefix("clv-sync ").split()
        if words[:1] == ["--shop"]:  # it may stand before the command, and has a value
            words = [words[0], *words[2:]]
        if words and (span.startswith("clv-sync ") or words[0] in commands()):
            yield words


@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY], ids=lambda p: p.name)
def test_every_command_that_a_page_names_is_there_with_its_options(page: Path) -> None:
    for words in _named_in(text(page)):
        names = [word for word in words if not word.startswith("-")]
        if names[:1] in (["COMMAND"], ["..."]):
            continue
        assert all(name in commands() for name in names[:1]), words
        known = commands()[names[0] if names else "doctor"] | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, words


@pytest.mark.parametrize("page", [page for page in PAGES if page != HISTORY], ids=lambda p: p.name)
def test_every_setting_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"\bCLV_(?:[A-Z]+_)*[A-Z]+\b", text(page)))
    shop = re.compile(r"CLV_(?:EU|US|X|SHOP)_(\w+)")
    kept = {name for name in named if (found := shop.match(name)) and found[1] in SHOP_KEYS}
    assert named - kept <= set(KEYS)


# ------------------------------------------------------------------------------------------ names


def test_every_column_field_and_rule_has_its_meaning() -> None:
    page = text(DOCS / "numbers.md")
    names = {*columns.SCORES, *NUMBERS, *TEXTS, *FLAGS, *(rule.name for rule in DEFAULT)}
    names |= {f"clv_{field}" for field in FIELDS} | {f"clv.{field}" for field in FIELDS}
    assert not {name for name in names if f"`{name}`" not in page}


def test_every_right_is_told_with_its_reason() -> None:
    magento, shopify = text(DOCS / "connect-magento.md"), text(DOCS / "connect-shopify.md")
    assert all(f"| `{right}` |" in magento for right in BOXES)
    assert all(f"| {BOXES[right]} |" in magento for right in BOXES)
    assert all(f"| `{scope}` |" in shopify for scope in SCOPES)


def test_a_files_columns_are_those_that_are_read() -> None:
    page = text(DOCS / "connect-file.md")
    table = re.findall(r"^\| `([a-z_]+)` \| (yes|no) \|", page, re.M)
    assert [name for name, _ in table] == list(FILE_COLUMNS)


def test_every_exit_code_is_told() -> None:
    page, errors = text(DOCS / "operating.md"), (ROOT / "connectors" / "errors.py").read_text()
    told = set(re.findall(r"^\| (\d+) \|", page, re.M))
    assert told == {"0", "2", *re.findall(r"\bexit (\d+)$", errors, re.M)}


# ------------------------------------------------------------------------------------ error texts


def _literal(node: ast.expr) -> str:
    """A text with … for what is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(v) if isinstance(v, ast.Constant) else "…" for v in node.values)
    return "…"


@cache
def _trees() -> list[tuple[Path, ast.AST]]:
    files = [ROOT / "sync.py", *(path for top in SOURCES for path in (ROOT / top).rglob("*.py"))]
    return [
        (path, ast.parse(path.read_text(encoding="utf-8")))
        for path in files
        if "sandbox" not in path.parts
    ]


def _texts() -> str:
    """Every text of the source, a line each."""
    found = []
    for _, tree in _trees():
        found += [
            _literal(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr | ast.Constant)
        ]
    return "\n".join(" ".join(one.split()) for one in found)


def _quoted() -> list[str]:
    """The texts of the page: the first column of its tables, and lists of nothing else."""
    page = text(DOCS / "troubleshooting.md")
    return re.findall(r"^(?:\||-) `([^`]+)`(?: \||$)", page, re.M)


def test_every_error_text_of_the_page_is_one_of_the_program() -> None:
    quotes, texts = _quoted(), _texts()
    assert len(quotes) > 200
    told = {quote: [p.strip() for p in quote.split("…") if len(p.strip()) > 2] for quote in quotes}
    missing = [
        quote
        for quote, parts in told.items()
        if not parts or not all(part in texts for part in parts)
    ]
    assert not missing


def test_no_text_of_ours_is_hidden_by_the_filter_for_secrets() -> None:
    for path, tree in _trees():
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in docs:
                told = _literal(node)
                assert redacted(told) == told, f"{path.name}: {told}"


#: Told to programmers, or to nobody: a bug, another server's webhook, what `doctor` wraps.
NOT_TOLD = {
    "the body is no JSON object",
    "the body says more than that a shop goes",
    "the customer is no object",
    "the order is no object",
    "is no object",
    "tags is no list of texts",
}
ERRORS = re.compile(
    r"(ConfigurationError|AuthenticationError|ShopUnavailable|RequestRefused|PayloadError"
    r"|GuardStopped|StalePlan|Interrupted|StoreError|StoreLocked|Passing)$"
)


def _raised() -> Iterator[tuple[str, str]]:
    for path, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if ERRORS.match(name):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", _literal(node.args[0])


def test_every_error_that_the_program_tells_is_on_the_page() -> None:
    page = text(DOCS / "troubleshooting.md")
    missing = [
        f"{where}: {told}"
        for where, told in _raised()
        if (parts := [part.strip(" (;:,") for part in told.split("…") if len(part.strip()) > 8])
        and not any(part in page for part in parts)
        and not any(one in told for one in NOT_TOLD)
    ]
    assert not missing, "docs/troubleshooting.md lacks:\n" + "\n".join(missing)


# ------------------------------------------------------------------------------------------- site


def _built(folder: Path, page: str) -> subprocess.CompletedProcess[str]:
    """A site of two pages, by our own settings."""
    pages = folder / "docs"
    pages.mkdir()
    (pages / "index.md").write_text("# All\n\n- [One](one.md)\n", encoding="utf-8")
    (pages / "one.md").write_text(f"# One\n\n## Here it is\n\n{page}\n", encoding="utf-8")
    options = ["-q", "-W", "--keep-going", "-n", "-b", "html", "-c", str(DOCS)]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(folder), str(folder / "build")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("[fine](#here-it-is), [too](index.md#all)", []),
        (
            "[a page](two.md), [an anchor](#there-it-is), [of another page](index.md#nothing)",
            ["two.md", "there-it-is", "nothing"],
        ),
    ],
)
def test_each_broken_link_or_anchor_breaks_the_site(
    tmp_path: Path, page: str, said: list[str]
) -> None:
    pytest.importorskip("myst_parser")
    ended = _built(tmp_path, page)
    assert bool(ended.returncode) == bool(said), ended.stderr
    assert len(ended.stderr.splitlines()) == len(said)
    assert all(one in ended.stderr for one in said)


def test_the_index_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", text(DOCS / "index.md")))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"index.md"}


def test_every_line_of_a_command_can_be_split() -> None:
    """Quotes that don't close would hide a command from the test that runs it."""
    for page in PAGES:
        for line in re.findall(r"^[^|`\n]*clv-sync [a-z][^`\n]*$", text(page), re.M):
            shlex.split(line, comments=True)
