"""The practice shops as people meet them: opened in a folder, shown in a browser, kept as pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.errors import ConfigurationError
from connectors.files import private_folder, written_whole
from connectors.sandbox import admin
from connectors.sandbox.cdnow import Who
from connectors.sandbox.server import Sandbox, open_books, serve


@dataclass(frozen=True, slots=True)
class Practice:
    """Two running shops and the folder that they, their store and their pages live in."""

    folder: Path
    sandbox: Sandbox

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings that connect both shops, with a store of their own."""
        return {**self.sandbox.environment, "CLV_STORE": str(self.folder / "store.duckdb")}

    def welcome(self) -> str:
        """Where to look, and the settings to try it with."""
        shops = [f"  {name}: {self.sandbox.url}/admin/{name}" for name in self._shops()]
        settings = [f"  {name}={value}" for name, value in self.environment.items()]
        told = ["The practice shops are open; Ctrl-C closes them.", *shops, "Settings for .env:"]
        return "\n".join([*told, *settings])

    def where_to_look(self, pages: Mapping[str, Path], program: str) -> str:
        """Where each shop's admin page was kept, and how to see the shops alive."""
        kept = [f"  {shop}: {path}" for shop, path in pages.items()]
        seen = "What the shops' admins see now, kept as pages:"
        return "\n".join([seen, *kept, f"To walk around in the shops: {program} sandbox"])

    def save_pages(self) -> dict[str, Path]:
        """Each shop's admin page as it looks now, as a file in the folder."""
        pages = {shop: self.folder / f"admin-{shop}.html" for shop in self._shops()}
        for shop, path in pages.items():
            with written_whole(path) as fresh:
                fresh.write_text(admin.snapshot(self.sandbox.books, shop), encoding="utf-8")
        return pages

    def _shops(self) -> Sequence[str]:
        return [row["shop"] for row in self.sandbox.books.shops()]


@contextmanager
def opened(folder: Path, customers: Who, today: date, port: int) -> Iterator[Practice]:
    """The shops of `folder`, filled on first use, served on `port` (0: a free one)."""
    books = open_books(
        private_folder(folder) / f"shops-{customers}.sqlite", today=today, customers=customers
    )
    try:
        with serve(books, port) as sandbox:
            yield Practice(folder, sandbox)
    except OSError as error:
        raise ConfigurationError(
            f"port {port} can't be used: {error.strerror}", mend="Choose another with --port."
        ) from error
    finally:
        books.close()
