"""A shop's switches, kept with its row of the books; which there are is each platform's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from connectors.sandbox.books import Books, Row

Setup = TypeVar("Setup")


@dataclass(frozen=True, slots=True)
class Setups(Generic[Setup]):
    """`kind` is a dataclass of switches with defaults."""

    kind: type[Setup]

    def of(self, shop: Row) -> Setup:
        """The setup of a shop's row of the books; settings that are no switch are left out."""
        names = {one.name for one in fields(self.kind)}  # type: ignore[arg-type]
        known = {name: value for name, value in shop["settings"].items() if name in names}
        return self.kind(**known)

    def configure(self, books: Books, shop: str, **changed: Any) -> Setup:
        """Change a shop's from the next request on. TypeError for what there is no switch for."""
        self.kind(**changed)
        settings = {**books.shop(shop)["settings"], **changed}
        books.execute("UPDATE shops SET settings = ? WHERE shop = ?", (json.dumps(settings), shop))
        return self.of(books.shop(shop))
