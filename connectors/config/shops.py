"""What the owner sets for one shop: `CLV_<SHOP>_...`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.config.keys import SHOP_DEFAULTS, SHOP_KEYS, WAYS_IN
from connectors.config.reader import Reader
from connectors.config.values import (
    address,
    attribute_prefix,
    currency,
    groups,
    locale,
    one_of,
    optional,
    sign_in,
    store_code,
    switch,
    whole,
)

WRITES = ("auto", "module", "put", "async")
READS = ("auto", "bulk", "graphql", "rest")


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """How to reach one shop, and how to write to it. Secrets don't show in `repr`.

    tags     are ours on its customers; every other tag is the shop's own
    tiers    those of them that name a tier
    ims_org  is set for Adobe Commerce as a Cloud Service, and only there
    groups   tier -> id of the customer group it moves to; empty: groups are never touched
    locale   in which the report is written, such as sv_SE
    state    the folder for what has to be kept from run to run, beside the store
    rates    path of a CSV file `currency,from,rate`: what one unit was worth in `currency`
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
    refresh_token: str = field(default="", repr=False)
    state: Path = Path(".clv")
    tags: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    ims_org: str = ""
    ims_url: str = ""
    store_code: str = SHOP_DEFAULTS["STORE_CODE"]
    attribute_prefix: str = SHOP_DEFAULTS["ATTRIBUTE_PREFIX"]
    workers: int = int(SHOP_DEFAULTS["WORKERS"])
    write: str = SHOP_DEFAULTS["WRITE"]
    read: str = SHOP_DEFAULTS["READ"]
    segments: bool = SHOP_DEFAULTS["SEGMENTS"] == "yes"
    groups: Mapping[str, str] = field(default_factory=dict, hash=False)
    rates: str = ""
    segment_tags: bool = SHOP_DEFAULTS["SEGMENT_TAGS"] == "yes"
    locale: str = SHOP_DEFAULTS["LOCALE"]
    ca_bundle: Path | None = None

    @property
    def in_the_cloud(self) -> bool:
        """Whether others run it, so that it has a public address."""
        return self.platform == "shopify" or bool(self.ims_org)


def shop_names(reader: Reader) -> Iterable[str]:
    names = [name.strip() for name in reader.text("CLV_SHOPS").split(",") if name.strip()]
    if not names:
        reader.complain("CLV_SHOPS is missing: the names of your shops, like eu,us")
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name):
            reader.complain(f"CLV_SHOPS: {name!r} must be lower-case letters, digits and _")
    for name in {name for name in names if names.count(name) > 1}:
        reader.complain(f"CLV_SHOPS names {name!r} twice")
    return dict.fromkeys(names)


def read_shop(
    reader: Reader, name: str, tags: frozenset[str], tiers: Sequence[str]
) -> ShopSettings:
    prefix = f"CLV_{name.upper()}_"
    given = {key: reader.text(prefix + key, SHOP_DEFAULTS.get(key, "")) for key in SHOP_KEYS}
    _complain_of_the_way_in(reader, prefix, given)
    if given["RATES"] and not given["CURRENCY"]:
        reader.complain(f"{prefix}CURRENCY is missing: the currency that {prefix}RATES lead to")
    return ShopSettings(
        shop=name,
        platform=given["PLATFORM"],
        url=reader.parsed(prefix + "URL", address, "").rstrip("/"),
        path=Path(given["PATH"]) if given["PATH"] else None,
        currency=reader.parsed(prefix + "CURRENCY", optional(currency), None),
        token=given["TOKEN"],
        consumer_key=given["CONSUMER_KEY"],
        consumer_secret=given["CONSUMER_SECRET"],
        access_token=given["ACCESS_TOKEN"],
        access_token_secret=given["ACCESS_TOKEN_SECRET"],
        client_id=given["CLIENT_ID"],
        client_secret=given["CLIENT_SECRET"],
        refresh_token=given["REFRESH_TOKEN"],
        state=Path(reader.text("CLV_STORE")).parent,
        tags=tags,
        tiers=tags,
        ims_org=given["IMS_ORG"],
        ims_url=reader.parsed(prefix + "IMS_URL", sign_in, "").rstrip("/"),
        store_code=reader.parsed(prefix + "STORE_CODE", store_code, "", given["STORE_CODE"]),
        attribute_prefix=reader.parsed(
            prefix + "ATTRIBUTE_PREFIX", attribute_prefix, "", given["ATTRIBUTE_PREFIX"]
        ),
        workers=reader.parsed(prefix + "WORKERS", whole(1, 16), 1, given["WORKERS"]),
        write=reader.parsed(prefix + "WRITE", one_of(*WRITES), "auto", given["WRITE"]),
        read=reader.parsed(prefix + "READ", one_of(*READS), "auto", given["READ"]),
        segments=reader.parsed(prefix + "SEGMENTS", switch, True, given["SEGMENTS"]),
        groups=reader.parsed(prefix + "GROUPS", groups(tiers), {}),
        rates=given["RATES"],
        segment_tags=reader.parsed(prefix + "SEGMENT_TAGS", switch, False, given["SEGMENT_TAGS"]),
        locale=reader.parsed(prefix + "LOCALE", locale, "en", given["LOCALE"]),
        ca_bundle=reader.parsed("CLV_CA_BUNDLE", optional(Path), None),
    )


def _complain_of_the_way_in(reader: Reader, prefix: str, given: Mapping[str, str]) -> None:
    """One complaint for each variable missing on the way that needs the fewest more.

    Of two ways that need as many, the one is meant of which more is given.
    """
    platform = given["PLATFORM"]
    if platform not in WAYS_IN:
        found = f"is {platform!r}" if platform else "is missing"
        reader.complain(f"{prefix}PLATFORM {found}: {SHOP_KEYS['PLATFORM']}")
        return
    ways = [way for way in WAYS_IN[platform] if "IMS_ORG" in way or not given["IMS_ORG"]]
    gaps = [[key for key in way if not given[key]] for way in sorted(ways, key=len, reverse=True)]
    for key in min(gaps, key=len, default=[]):
        reader.complain(f"{prefix}{key} is missing: {SHOP_KEYS[key]}")
