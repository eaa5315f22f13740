"""Settings as values. The environment comes in as a mapping; all that is wrong is told at once.

`KEYS` and `SHOP_KEYS` are the whole list of variables; `.env.example` repeats it for people, and a
test keeps the two equal. Nothing outside this list is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from connectors.errors import ConfigurationError
from connectors.schema import RULES, Rule, tier_tag

T = TypeVar("T")

#: Names and the cumulated share of value at which each ends.
Tiers = tuple[tuple[str, float], ...]
NO_TIERS: Tiers = ()

#: Variable -> default. An empty default means: not set.
KEYS: Mapping[str, str] = {
    "CLV_SHOPS": "",
    "CLV_STORE": ".clv/store.duckdb",
    "CLV_EMAIL_KEY": "",
    "CLV_VALUE": "net",
    "CLV_HORIZON_DAYS": "365",
    "CLV_DISCOUNT_RATE": "0.10",
    "CLV_MARGIN": "",
    "CLV_CAC": "",
    "CLV_LIFESPAN_YEARS": "3",
    "CLV_MODEL": "auto",
    "CLV_TIERS": "high:0.5,medium:0.8,low:1",
    "CLV_NEW_DAYS": "30",
    "CLV_TOLERANCE": "0.02",
    "CLV_MAX_CHANGES": "",
    "CLV_MEMORY_MB": "2048",
}

#: The tier of customers who are too new to tell.
NEW = "new"

#: Platform -> the ways to reach a shop of it: each a tuple of variables that belong together.
WAYS_IN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "magento": (
        ("URL", "TOKEN"),
        ("URL", "CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET"),
    ),
    "shopify": (("URL", "TOKEN"), ("URL", "CLIENT_ID", "CLIENT_SECRET")),
    "file": (("PATH",),),
}

#: The end of CLV_<SHOP>_... -> where to get the value.
SHOP_KEYS: Mapping[str, str] = {
    "PLATFORM": "one of " + ", ".join(WAYS_IN),
    "URL": "the shop's base address, https://...",
    "TOKEN": "Magento: System > Integrations > Access Token; Shopify: the app's Admin API token",
    "CONSUMER_KEY": "Magento: System > Integrations",
    "CONSUMER_SECRET": "Magento: System > Integrations",
    "ACCESS_TOKEN": "Magento: System > Integrations",
    "ACCESS_TOKEN_SECRET": "Magento: System > Integrations",
    "CLIENT_ID": "Shopify: the app's settings in the Dev Dashboard",
    "CLIENT_SECRET": "Shopify: the app's settings in the Dev Dashboard",
    "PATH": "a CSV or Parquet file of orders",
    "CURRENCY": "the ISO 4217 code to score in, where a shop has orders in several",
}


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """How to reach one shop. Secrets don't show in `repr`.

    `tags` are ours on its customers, one for each tier; every other tag is the shop's own.
    """

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
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the owner can set. Rates and shares are fractions, durations in days."""

    shops: tuple[ShopSettings, ...]
    store: Path
    value: Rule
    horizon_days: int
    discount_rate: float
    margin: Decimal | None
    cac: Decimal | None
    lifespan_years: Decimal
    model: str
    tiers: Tiers
    new_days: int
    tolerance: Decimal
    max_changes: int | None
    memory_mb: int
    email_key: str = field(default="", repr=False)

    def shop(self, name: str) -> ShopSettings:
        """The shop of that name; ConfigurationError where none has it."""
        for settings in self.shops:
            if settings.shop == name:
                return settings
        known = ", ".join(s.shop for s in self.shops) or "none"
        raise ConfigurationError(f"no shop is called {name!r}", mend=f"CLV_SHOPS names: {known}.")


class _Reader:
    """Reads variables one by one and remembers every complaint."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.complaints: list[str] = []

    def text(self, name: str) -> str:
        return (self._environment.get(name) or KEYS.get(name, "")).strip()

    def parsed(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """`parse(text)`; a ValueError becomes a complaint that names the variable."""
        try:
            return parse(self.text(name))
        except (ValueError, InvalidOperation) as error:
            told = str(error) if isinstance(error, ValueError) else "not a number"
            self.complain(f"{name}{self._shown(name)}: {told}")
            return default

    def _shown(self, name: str) -> str:
        """The value, but for those that are a secret or may hold one."""
        open_to_see = name in KEYS and name != "CLV_EMAIL_KEY"
        return f"={self.text(name)!r}" if open_to_see else ""

    def complain(self, text: str) -> None:
        self.complaints.append(text)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment; ConfigurationError with every complaint in one line."""
    reader = _Reader(environment)
    tiers = reader.parsed("CLV_TIERS", _tiers, NO_TIERS)
    tags = frozenset(tier_tag(tier) for tier, _ in (*tiers, (NEW, 0)))
    settings = Settings(
        shops=tuple(_shop(reader, name, tags) for name in _shop_names(reader)),
        store=Path(reader.text("CLV_STORE")),
        email_key=reader.parsed("CLV_EMAIL_KEY", _email_key, ""),
        value=reader.parsed("CLV_VALUE", _rule, "net"),
        horizon_days=reader.parsed("CLV_HORIZON_DAYS", _whole(1, 3650), 365),
        discount_rate=float(reader.parsed("CLV_DISCOUNT_RATE", _within("0", "1"), Decimal(0))),
        margin=reader.parsed("CLV_MARGIN", _optional(_within("0", "1")), None),
        cac=reader.parsed("CLV_CAC", _optional(_within("0", "1e9")), None),
        lifespan_years=reader.parsed("CLV_LIFESPAN_YEARS", _within("0.1", "50"), Decimal(3)),
        model=reader.text("CLV_MODEL"),
        tiers=tiers,
        new_days=reader.parsed("CLV_NEW_DAYS", _whole(0, 3650), 30),
        tolerance=reader.parsed("CLV_TOLERANCE", _within("0", "1"), Decimal(0)),
        max_changes=reader.parsed("CLV_MAX_CHANGES", _optional(_whole(0, 10**9)), None),
        memory_mb=reader.parsed("CLV_MEMORY_MB", _whole(64, 10**6), 2048),
    )
    if reader.complaints:
        raise ConfigurationError(
            "; ".join(reader.complaints), mend="Set them in .env (see .env.example)."
        )
    return settings


def _shop_names(reader: _Reader) -> Iterable[str]:
    names = [name.strip() for name in reader.text("CLV_SHOPS").split(",") if name.strip()]
    if not names:
        reader.complain("CLV_SHOPS is missing: the names of your shops, like eu,us")
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name):
            reader.complain(f"CLV_SHOPS: {name!r} must be lower-case letters, digits and _")
    for name in {name for name in names if names.count(name) > 1}:
        reader.complain(f"CLV_SHOPS names {name!r} twice")
    return dict.fromkeys(names)


def _shop(reader: _Reader, name: str, tags: frozenset[str]) -> ShopSettings:
    prefix = f"CLV_{name.upper()}_"
    given = {key: reader.text(prefix + key) for key in SHOP_KEYS}
    _complain_of_the_way_in(reader, prefix, given)
    return ShopSettings(
        shop=name,
        platform=given.pop("PLATFORM"),
        url=reader.parsed(prefix + "URL", _address, "").rstrip("/"),
        path=Path(given.pop("PATH")) if given["PATH"] else None,
        currency=reader.parsed(prefix + "CURRENCY", _optional(_currency), None),
        token=given["TOKEN"],
        consumer_key=given["CONSUMER_KEY"],
        consumer_secret=given["CONSUMER_SECRET"],
        access_token=given["ACCESS_TOKEN"],
        access_token_secret=given["ACCESS_TOKEN_SECRET"],
        client_id=given["CLIENT_ID"],
        client_secret=given["CLIENT_SECRET"],
        tags=tags,
    )


def _complain_of_the_way_in(reader: _Reader, prefix: str, given: Mapping[str, str]) -> None:
    """One complaint for each variable missing on the way that needs the fewest more."""
    platform = given["PLATFORM"]
    if platform not in WAYS_IN:
        found = f"is {platform!r}" if platform else "is missing"
        reader.complain(f"{prefix}PLATFORM {found}: {SHOP_KEYS['PLATFORM']}")
        return
    gaps = [[key for key in way if not given[key]] for way in WAYS_IN[platform]]
    for key in min(gaps, key=len):
        reader.complain(f"{prefix}{key} is missing: {SHOP_KEYS[key]}")


def _optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: parse(text) if text else None


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d+", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}, please")
        return int(text)

    return parse


def _within(low: str, high: str) -> Callable[[str], Decimal]:
    def parse(text: str) -> Decimal:
        number = Decimal(text)
        if not Decimal(low) <= number <= Decimal(high):
            raise ValueError(f"a number from {low} to {high}, please")
        return number

    return parse


def _rule(text: str) -> Rule:
    for rule in RULES:
        if rule == text:
            return rule
    raise ValueError("one of " + ", ".join(RULES))


def _email_key(text: str) -> str:
    if text and len(text.encode()) < 16:
        raise ValueError("at least 16 characters (or leave it out and one is made)")
    return text


def _address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("an address like https://shop.example.com, please")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("the bare address, without user, query or fragment")
    return text


def _currency(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError("three capital letters like EUR, please")
    return text


def _tiers(text: str) -> Tiers:
    """`high:0.5,medium:0.8,low:1`: tier -> the cumulated share of value at which it ends."""
    pairs = [part.strip().partition(":") for part in text.split(",")]
    tiers = tuple((name.strip(), float(share)) for name, _, share in pairs)
    shares = [share for _, share in tiers]
    if shares != sorted(set(shares)) or shares[-1] != 1 or shares[0] <= 0:
        raise ValueError("the shares must rise to 1, like high:0.5,medium:0.8,low:1")
    if not all(re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name) for name, _ in tiers):
        raise ValueError("tier names are lower-case letters, digits and hyphens")
    if len({name for name, _ in tiers} | {NEW}) <= len(tiers):
        raise ValueError(f"tier names must differ, and {NEW!r} is taken")
    return tiers
