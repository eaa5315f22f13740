"""Every `clv-sync ...` in the files for schedulers and containers is one that the command takes."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from started import ROOT

import sync
from connectors.arguments import globals_first

FILES = [
    *sorted(path for path in (ROOT / "docs" / "schedule").iterdir() if path.is_file()),
    ROOT / "docs" / "schedule.md",
    ROOT / "compose.yaml",
]

COMPLETION = {"--install-completion", "--show-completion"}


def commands(path: Path) -> list[list[str]]:
    """What follows `clv-sync` wherever it is called."""
    if path.suffix == ".py":
        return list(_called(path))
    text = path.read_text(encoding="utf-8")
    if path.name == "compose.yaml":
        lists = [one["command"] for one in yaml.safe_load(text)["services"].values()]
        text += "\n".join(f"bin/clv-sync {shlex.join(one)}" for one in lists if len(one) > 1)
    if path.suffix == ".md":
        blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
        text = "\n".join([*blocks, *re.findall(r"`(clv-sync [^`]+)`", text)])
    found = re.findall(r"(?:^|[ /=&])clv-sync ((?:--?\w|[a-z]).*)$", text, re.M)
    told = [re.split(r"\s[&#|>;]", f"{one} ")[0] for one in found if not one.startswith("clv")]
    return [shlex.split(one) for one in told]


def _called(path: Path) -> Iterator[list[str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.List) and node.elts and ast.unparse(node.elts[0]) == "CLV_SYNC":
            yield [str(getattr(word, "value", "eu")) for word in node.elts[1:]]


def parsed(arguments: list[str]) -> str:
    """The command's name, once its options and arguments are read; a usage error otherwise."""
    group = typer.main.get_command(sync.app)
    assert isinstance(group, typer.core.TyperGroup)
    if set(arguments) <= COMPLETION:  # to read them is to carry them out
        assert set(arguments) <= {name for option in group.params for name in option.opts}
        return "completion"
    front = globals_first(arguments)
    context = group.make_context("clv-sync", front)
    name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    command.make_context(str(name), rest, parent=context)
    return str(name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_is_one_that_exists(path: Path) -> None:
    if path.suffix == ".timer":
        return
    found = [parsed(arguments) for arguments in commands(path)]
    assert "run" in found or path.suffix == ".md", json.dumps(commands(path))


def test_a_command_that_does_not_exist_is_found_out() -> None:
    for wrong in (["--quiet", "ran"], ["run", "--quickly"], ["apply", "--max-changes", "many"]):
        with pytest.raises(typer.exceptions.TyperException):
            parsed(wrong)
