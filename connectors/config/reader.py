"""Reads variables one by one and remembers every complaint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import InvalidOperation
from difflib import get_close_matches
from typing import TypeVar

from connectors.config.keys import KEYS, SECRETS, SHOP_KEYS

T = TypeVar("T")

_OF_A_SHOP = re.compile(rf"CLV_[A-Z][A-Z0-9_]*_({'|'.join(SHOP_KEYS)})")


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

    def complain_of_unknown(self, shops: Iterable[str]) -> None:
        """Names that look like ours and mean nothing: a limit that is misspelt limits nothing.

        One of a shop that isn't among `shops` may wait for it there.
        """
        own = [f"CLV_{shop.upper()}_{key}" for shop in shops for key in SHOP_KEYS]
        for name in sorted(self._environment):
            if name.startswith("CLV_") and name not in KEYS and not _OF_A_SHOP.fullmatch(name):
                near = get_close_matches(name, [*KEYS, *own], n=1)
                told = f"; {near[0]} is" if near else ""
                self.complain(f"{name} is no setting{told}")

    def _shown(self, name: str) -> str:
        """The value, but for those that are a secret or may hold one."""
        value = self.text(name)
        open_to_see = name in KEYS and not name.endswith(SECRETS) and "@" not in value
        return f"={value!r}" if open_to_see else ""

    def complain(self, text: str) -> None:
        self.complaints.append(text)
