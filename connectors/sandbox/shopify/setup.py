"""How one Shopify of the sandbox is set up: plan, scopes, and what is wrong with it.

Kept in the shop's settings, so that every request sees the newest; `configure` changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from connectors.sandbox.setups import Setups

SCOPES = ("read_orders", "read_all_orders", "read_customers", "write_customers")
WEEK = 7 * 86_400

End = Literal[
    "COMPLETED", "FAILED", "TIMEOUT", "ACCESS_DENIED", "CANCELED", "EXPIRED", "STUCK", "GONE",
    "CUT", "SHORT", "MISCOUNTED",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setup:
    """The switches of a shop; the defaults are a shop on Plus whose app may do everything.

    name, domain, plan    what the shop calls itself, its own domain, and its plan's name
    timezone              the shop's own time
    limits                whose limits: "standard", "advanced" or "plus"
    rest_*, graphql_*     single figures of those limits instead
    scopes                what the app was granted; without `read_all_orders`, orders older than 60
                          days are nowhere: not in REST, GraphQL, bulk results or counts
    clock_offset_seconds  how far the shop's Date header is off
    token_seconds         how long a token got by client credentials lives
    refresh_seconds       how long one got by a refresh token lives
    static_token          whether the token without an end is taken
    secret_expired        the client secret is refused
    served_version        the API version that answers, whatever was asked for; None: the usual one
    hide_addresses        the app has no access to protected customer data such as addresses
    throttled             the share of GraphQL calls that are answered THROTTLED
    partial               the share of GraphQL answers that carry errors; a write has been done
    drop_tags             the share of tags that `tagsAdd` loses, without a word
    bulk_at_once          operations of one type that may go on at the same time
    bulk_after_polls      an operation has ended once it was asked about so often
    bulk_ends             how the next operations end, one after another (`End`), then all go well
    bulk_largest          operations with more root objects time out; None: never
    shuffle_seed          lines of results come in any order; None: parents first
    result_seconds        how long the address of a result is good for
    upload_largest        how many bytes a staged upload may have
    segment_prefix        what the name of a metafield begins with in a segment's query
    """

    name: str | None = None
    domain: str | None = None
    plan: str = "shopify_plus"
    timezone: str = "America/New_York"
    limits: str = "plus"
    rest_bucket: int | None = None
    rest_leak: float | None = None
    graphql_bucket: int | None = None
    graphql_restore: float | None = None
    scopes: tuple[str, ...] = SCOPES
    clock_offset_seconds: int = 0
    token_seconds: int = 86_399
    refresh_seconds: int = 3_600
    static_token: bool = True
    secret_expired: bool = False
    served_version: str | None = None
    hide_addresses: bool = False
    throttled: float = 0.0
    partial: float = 0.0
    drop_tags: float = 0.0
    bulk_at_once: int = 5
    bulk_after_polls: int = 1
    bulk_ends: tuple[End, ...] = ()
    bulk_largest: int | None = None
    shuffle_seed: int | None = None
    result_seconds: int = WEEK
    upload_largest: int = 100 * 2**20
    segment_prefix: str = "metafields."

    def __post_init__(self) -> None:
        unknown = set(self.bulk_ends) - set(get_args(End))
        if unknown:
            raise ValueError(f"no end of a bulk operation: {', '.join(sorted(unknown))}")


_setups = Setups(Setup)
setup_of, configure = _setups.of, _setups.configure
