"""Settings as values. The environment comes in as a mapping; all that is wrong is told at once.

`KEYS` and `SHOP_KEYS` are the whole list of variables; `.env.example` repeats it for people, and a
test keeps the two equal. Nothing outside this list is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from connectors.config.keys import KEYS, SECRETS, SHOP_DEFAULTS, SHOP_KEYS, WAYS_IN
from connectors.config.reader import Reader
from connectors.config.shops import ShopSettings, read_shop, shop_names
from connectors.config.target import SparkTarget, Target, target
from connectors.config.values import (
    NEW,
    Tiers,
    email_key,
    endpoint,
    headers,
    optional,
    rule,
    switch,
    tiers,
    webhook,
    whole,
    within,
)
from connectors.drift import Limits
from connectors.errors import ConfigurationError
from connectors.origin import is_loopback, origin_of
from connectors.schema import Rule, tier_tag
from connectors.tracing import Collector

__all__ = [
    "KEYS",
    "NEW",
    "SECRETS",
    "SHOP_DEFAULTS",
    "SHOP_KEYS",
    "WAYS_IN",
    "Settings",
    "ShopSettings",
    "SparkTarget",
    "Tiers",
    "Webhook",
    "read_settings",
]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a message goes after each run. The address itself is the secret.

    `private` allows hosts in the owner's own network.
    """

    url: str = field(repr=False)
    private: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the owner can set. Rates and shares are fractions, durations in days.

    `store` is the store's own file: of a Spark target the books in its warehouse.
    """

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
    max_refusals: Decimal | None
    drift: Limits
    memory_mb: int
    metrics: Path | None
    segment_rules: Path | None
    email_hashes: bool
    webhook: Webhook | None = None
    ca_bundle: Path | None = None
    collector: Collector | None = None
    spark: SparkTarget | None = None
    email_key: str = field(default="", repr=False)

    @property
    def shop_names(self) -> list[str]:
        return [shop.shop for shop in self.shops]

    def shop(self, name: str) -> ShopSettings:
        """The shop of that name; ConfigurationError where none has it."""
        for settings in self.shops:
            if settings.shop == name:
                return settings
        known = ", ".join(self.shop_names) or "none"
        raise ConfigurationError(f"no shop is called {name!r}", mend=f"CLV_SHOPS names: {known}.")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment; ConfigurationError with every complaint in one line."""
    reader = Reader(environment)
    settings = _read(reader)
    reader.complain_of_unknown(settings.shop_names)
    if reader.complaints:
        raise ConfigurationError(
            "; ".join(reader.complaints),
            mend="Mend that in .env where you start the command (see .env.example).",
        )
    return settings


def _read(reader: Reader) -> Settings:
    shares: Tiers = reader.parsed("CLV_TIERS", tiers, ())
    names = [*(tier for tier, _ in shares), NEW]
    tags = frozenset(map(tier_tag, names))
    nowhere: Target = Path()
    store = reader.parsed("CLV_STORE", target, nowhere)
    spark = store if isinstance(store, SparkTarget) else None
    return Settings(
        shops=tuple(read_shop(reader, shop, tags, names) for shop in shop_names(reader)),
        store=store.books if isinstance(store, SparkTarget) else store,
        spark=spark,
        email_key=reader.parsed("CLV_EMAIL_KEY", email_key, ""),
        email_hashes=reader.parsed("CLV_EMAIL_HASHES", switch, True),
        value=reader.parsed("CLV_VALUE", rule, "net"),
        horizon_days=reader.parsed("CLV_HORIZON_DAYS", whole(1, 3650), 365),
        discount_rate=float(reader.parsed("CLV_DISCOUNT_RATE", within("0", "1"), Decimal(0))),
        margin=reader.parsed("CLV_MARGIN", optional(within("0", "1")), None),
        cac=reader.parsed("CLV_CAC", optional(within("0", "1e9")), None),
        lifespan_years=reader.parsed("CLV_LIFESPAN_YEARS", within("0.1", "50"), Decimal(3)),
        model=reader.text("CLV_MODEL"),
        tiers=shares,
        new_days=reader.parsed("CLV_NEW_DAYS", whole(0, 3650), 30),
        tolerance=reader.parsed("CLV_TOLERANCE", within("0", "1"), Decimal(0)),
        max_changes=reader.parsed("CLV_MAX_CHANGES", optional(whole(0, 10**9)), None),
        max_refusals=reader.parsed("CLV_MAX_REFUSALS", optional(within("0", "1")), None),
        drift=Limits(
            reader.parsed("CLV_MAX_TIER_MOVES", optional(within("0", "1")), None),
            reader.parsed("CLV_MAX_VALUE_JUMP", optional(within("0", "1e6")), None),
        ),
        memory_mb=reader.parsed("CLV_MEMORY_MB", whole(64, 10**6), 1536),
        metrics=reader.parsed("CLV_METRICS", optional(Path), None),
        segment_rules=reader.parsed("CLV_SEGMENT_RULES", optional(Path), None),
        webhook=_webhook(reader),
        ca_bundle=reader.parsed("CLV_CA_BUNDLE", optional(Path), None),
        collector=_collector(reader),
    )


def _webhook(reader: Reader) -> Webhook | None:
    url = reader.parsed("CLV_NOTIFY_WEBHOOK", webhook, "")
    private = reader.parsed("CLV_NOTIFY_PRIVATE", switch, False)
    if _on_this_machine(url) and not private:
        reader.complain("CLV_NOTIFY_WEBHOOK names this very machine: CLV_NOTIFY_PRIVATE=yes allows")
    return Webhook(url, private) if url else None


def _collector(reader: Reader) -> Collector | None:
    address = reader.parsed("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, "")
    along: Mapping[str, str] = reader.parsed("OTEL_EXPORTER_OTLP_HEADERS", headers, {})
    if along and address.startswith("http://") and not _on_this_machine(address):
        reader.complain("OTEL_EXPORTER_OTLP_ENDPOINT: the headers would go in clear; use https")
    bundle = reader.parsed("CLV_CA_BUNDLE", optional(Path), None)
    return Collector(address, along, bundle) if address else None


def _on_this_machine(url: str) -> bool:
    origin = origin_of(url)
    return origin is not None and is_loopback(origin.host)
