"""The customers of one sandbox shop: who has an account, where, and what the admins noted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any

from connectors.sandbox.books import instant_text
from connectors.sandbox.markets import Market, View
from connectors.sandbox.people import Person, address, person

#: Of a hundred buyers these have no account at all; all their orders are a guest's.
NO_ACCOUNT_RATE = 4

TAGS = ("VIP", "wholesale", "Newsletter", "b2b 2024", "Très fidèle")


@dataclass(frozen=True, slots=True)
class Member:
    """One buyer. `customer_id` is None for those without an account."""

    person: Person
    view: View
    customer_id: int | None
    since: date
    buys: bool = True


def members(rng: Random, market: Market, first_days: Sequence[date]) -> list[Member]:
    """A member for every first purchase day, in order, and one more who never bought.

    In a Magento with several websites the same e-mail can stand in two of them, as two people.
    """
    found: list[Member] = []
    for n, since in enumerate(first_days, 1):
        view = rng.choices(market.views, market.weights)[0]
        has_account = rng.random() * 100 >= NO_ACCOUNT_RATE and n % 40 != 0
        customer_id = _customer_id(market, n) if has_account else None
        who = _borrowed(found, view, n) if n % 10 == 0 else None
        found.append(Member(who or person(rng, n), view, customer_id, since))
    idle = person(rng, len(found) + 1, "visitor")
    quiet = Member(
        idle, market.views[0], _customer_id(market, len(found) + 1), first_days[0], False
    )
    return [*found, quiet]


def _borrowed(found: Sequence[Member], view: View, n: int) -> Person | None:
    """The name and e-mail of someone in another website who doesn't share theirs yet."""
    taken = {m.person.email for m in found if m.view.website_id == view.website_id}
    others = (m.person for m in reversed(found) if m.view.website_id != view.website_id)
    return next((p._replace(number=n) for p in others if p.email not in taken), None)


def _customer_id(market: Market, n: int) -> int:
    return 7_100_000_000_000 + 4_096 * n if market.platform == "shopify" else n + n // 7


def customer_rows(
    rng: Random, market: Market, community: Sequence[Member]
) -> Iterator[dict[str, Any]]:
    """The accounts as the books keep them."""
    for member in community:
        if member.customer_id is None:
            continue
        opened = instant_text(datetime.combine(member.since, time(5, 30), UTC))
        yield {
            "shop": market.shop, "id": member.customer_id, "email": member.person.email,
            "first_name": member.person.first_name, "last_name": member.person.last_name,
            "website_id": member.view.website_id, "store_id": member.view.store_id,
            "group_id": 2 if member.view.code == "ws" else 1,
            "created_at": opened, "updated_at": opened, "extra": _extra(rng, member),
        }  # fmt: skip


def _extra(rng: Random, member: Member) -> dict[str, Any]:
    number = member.person.number
    place = address(rng, number, member.view.country)
    if not member.buys:
        place["telephone"] = ""  # an address from before telephones were asked for
    has_address = rng.random() < 0.7 or not member.buys
    return {
        "newsletter": rng.random() < 0.3, "addresses": [place] if has_address else [],
        "dob": f"19{60 + number % 40}-04-15" if number % 3 == 0 else None, "note": None,
    }  # fmt: skip


def admin_marks(
    rng: Random, market: Market, community: Sequence[Member]
) -> dict[str, list[dict[str, Any]]]:
    """What the admins keep on customers for themselves, by table: nothing of it is ours."""
    accounts = [m for m in community if m.customer_id is not None]
    marks: dict[str, list[dict[str, Any]]] = {"customer_values": [], "customer_tags": []}
    for member in accounts:
        marks["customer_values"] += _values(rng, market, member)
        if market.platform == "shopify":
            marks["customer_tags"] += [
                {"shop": market.shop, "customer_id": member.customer_id, "tag": tag}
                for tag in rng.sample(TAGS, rng.choice((0, 0, 1, 2, 3)))
            ]
    return marks


def _values(rng: Random, market: Market, member: Member) -> Iterator[dict[str, Any]]:
    shopify = market.platform == "shopify"
    noted = instant_text(datetime.combine(member.since, time(5, 30), UTC))
    row = {"shop": market.shop, "customer_id": member.customer_id, "updated_at": noted}
    if rng.random() < 0.4:
        name = "custom.erp_number" if shopify else "erp_number"
        type_ = "single_line_text_field" if shopify else "varchar"
        yield {**row, "name": name, "type": type_, "value": f"ERP-{member.person.number:05d}"}
    if rng.random() < 0.2:
        name, type_ = ("custom.is_vip", "boolean") if shopify else ("is_vip", "int")
        yield {**row, "name": name, "type": type_, "value": "true" if shopify else "1"}
