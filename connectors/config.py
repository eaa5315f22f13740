"""Settings as values. The environment comes in as a mapping; all that is wrong is told at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """How to reach one shop. Secrets don't show in `repr`."""

    shop: str
    platform: str
    url: str = ""
    path: Path | None = None
    currency: str | None = None
    token: str = field(default="", repr=False)
    consumer_key: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    access_token_secret: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
