"""Reads variables one by one and remembers every complaint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import InvalidOperation
from typing import TypeVar

from connectors.config.keys import KEYS, SECRETS

T = TypeVar("T")


class Reader:
    """The environment, read with its defaults. What is wrong is told at the end, all at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.complaints: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return (self._environment.get(name) or KEYS.get(name, default)).strip()

    def parsed(self, name: str, parse: Callable[[str], T], fallback: T, default: str = "") -> T:
        """`parse(text)`; a ValueError becomes a complaint that names the variable."""
        try:
            return parse(self.text(name, default))
        except (ValueError, InvalidOperation) as error:
            told = str(error) if isinstance(error, ValueError) else "not a number"
            self.complain(f"{name}{self._shown(name)}: {told}")
            return fallback

    def _shown(self, name: str) -> str:
        """The value, but for those that are a secret or may hold one."""
        value = self.text(name)
        open_to_see = name in KEYS and not name.endswith(SECRETS) and "@" not in value
        return f"={value!r}" if open_to_see else ""

    def complain(self, text: str) -> None:
        self.complaints.append(text)
