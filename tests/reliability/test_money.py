"""Checks 15 to 17 and 20: what is summed up is what the shop sold, however it came to be known."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count, starmap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.errors import PayloadError
from connectors.magento.parse import parse_order, parse_store_views
from connectors.platform import Page, Platform, Reject
from connectors.pull import Watch, pull_customers, pull_moved, pull_orders
from connectors.sandbox.ledger import ledger
from connectors.schema import net_value
from connectors.shopify.parse import parse_orders
from connectors.store import Store
from tests.magento import test_mutations as magento_mutations
from tests.magento.conftest import recorded, slim
from tests.reliability.conftest import FULL, Told
from tests.reliability.test_paging import WAYS as ORDERS
from tests.reliability.test_paging import opened
from tests.reliability.worlds import HASHER, START, Life, World, shops
from tests.shopify import conftest as shopify_payloads
from tests.shopify import test_shopify_mutations as shopify_mutations
from tests.shopify.test_shopify_ledger import LEDGER, figures

# ------------------------------------------------- 15: incremental equals full, 10,000 histories

PEOPLE = 50 if FULL else 20  # customers of a shop, each with a history of their own
SHOPS = {"magento": 100, "graphql": 50, "rest": 50} if FULL else {"magento": 2, "graphql": 2}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with shops(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("histories") / "store.duckdb"
    with Store.open(path, now=START) as made:
        yield made


class Named:
    """A platform whose shop has another name in the store: one store takes in many shops."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._platform = platform
        self.shop = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._platform, name)

    def _renamed(self, pages: Any) -> Any:
        for page in pages:
            rows = {
                kind: [replace(row, shop=self.shop) for row in getattr(page, kind)]
                for kind in ("orders", "lines", "refunds", "customers", "rejects")
            }
            yield replace(page, **rows)

    def pull_orders(self, *given: Any) -> Any:
        return self._renamed(self._platform.pull_orders(*given))

    def pull_customers(self, *given: Any) -> Any:
        return self._renamed(self._platform.pull_customers(*given))


class NamedToo(Named):
    """The same where single orders can be asked for."""

    def pull_named(self, ids: Any) -> Any:
        return self._renamed(self._platform.pull_named(ids))  # type: ignore[attr-defined]


def pull(platform: Any, store: Store, world: World) -> None:
    """As a run does it."""
    shown = pull_customers(platform, store, world.clock(), Watch()).shown
    pull_moved(platform, store, shown, world.clock(), Watch())
    pull_orders(platform, store, world.clock(), None, Watch())


def known(store: Store, shop: str, world: World) -> dict[str, Decimal]:
    """Net value by person, of those who have any order that counts."""
    frame = store.summary(shop, as_of=world.clock().date())
    return dict(zip(frame["person_key"], frame["net"], strict=True))


numbers = count()


@pytest.mark.parametrize("way", SHOPS)
def test_check_15_what_was_pulled_bit_by_bit_equals_what_is_pulled_at_once(
    told: Told, world: World, store: Store, way: str
) -> None:
    shop = ORDERS[way][0]
    apart: list[str] = []
    events: list[int] = []
    reset = snapshot(world)

    @settings(
        max_examples=SHOPS[way],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(
        seed=st.integers(0, 2**32),
        rounds=st.lists(st.integers(PEOPLE // 10, 3 * PEOPLE), min_size=1, max_size=5),
    )
    def lives(seed: int, rounds: list[int]) -> None:
        reset()
        name = f"{way}{next(numbers)}"
        events.append(sum(rounds))
        life = Life(world.books, shop, random.Random(seed))  # noqa: S311
        named = NamedToo if shop == "us" else Named
        piecemeal = named(opened(world, way), name)
        pull(piecemeal, store, world)
        for happening in rounds:
            for _ in range(happening):
                world.clock.on(seconds=life.rng.randint(0, 2000))
                life.happens()
            world.clock.on(minutes=30)
            pull(piecemeal, store, world)
        whole = named(opened(world, way), f"{name}_whole")
        pull(whole, store, world)
        bit_by_bit = known(store, name, world)
        at_once = known(store, f"{name}_whole", world)
        assert bit_by_bit == at_once
        assert sum(at_once.values()) == ledger(world.books, shop).counted.net

    try:
        lives()
    except AssertionError as error:
        apart.append(str(error))
    told(
        f"histories, {sum(events):,} events, pulled bit by bit and at once ({way})",
        len(events) * PEOPLE,
        apart=len(apart),
        too_few=SHOPS[way] - len(events),
    )


def snapshot(world: World) -> Any:
    """What brings the books back to this moment."""
    tables = ("customers", "customer_values", "customer_tags", "orders", "refunds")
    rows = {table: world.books.query(f"SELECT * FROM {table}") for table in tables}  # noqa: S608

    def reset() -> None:
        world.clock.at = START
        with world.books.transaction():
            for table, before in rows.items():
                world.books.execute(f"DELETE FROM {table}")  # noqa: S608
                world.books.insert(table, before)
            world.books.execute("DELETE FROM request_journal")

    return reset


# ------------------------------------------------------------------------- 16: a ledger by hand


def test_check_16_shopify_orders_come_to_a_ledger_made_by_hand(told: Told) -> None:
    wrong = []
    for scenario, expected in LEDGER.items():
        parsed = parse_orders("toys", [scenario(shopify_payloads.Make)], HASHER)
        if parsed.rejects or figures(parsed) != expected:
            wrong.append(scenario.__name__)
    told("sales, captures, refunds, gift cards, currencies (Shopify)", len(LEDGER),
         wrong=len(wrong))  # fmt: skip


VIEWS = parse_store_views(recorded("store_views.json"))
(PLAIN,) = [slim(row) for row in recorded("orders.json")["items"] if row["entity_id"] == 2]
ORDER = "67.21 0.00 14.33 8.24 89.78"

#: What differs from a sale of 67.21 with 14.33 tax and 8.24 for shipping | its parts and total |
#: goods, shipping and all that went back | net, gross: worked out on paper.
BY_HAND: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "sale": ({}, ORDER, "0.00 0.00 0.00", "67.21 89.78"),
    "a line back": (
        {"subtotal_refunded": "20.00", "tax_refunded": "3.80", "total_refunded": "23.80"},
        ORDER,
        "20.00 0.00 23.80",
        "47.21 65.98",
    ),
    "all back": (
        {
            "subtotal_refunded": "67.21",
            "tax_refunded": "14.33",
            "shipping_refunded": "8.24",
            "total_refunded": "89.78",
            "state": "closed",
        },
        ORDER,
        "67.21 8.24 89.78",
        "0.00 0.00",
    ),
    "a fee kept": (
        {
            "subtotal_refunded": "20.00",
            "tax_refunded": "3.80",
            "adjustment_negative": "1.00",
            "total_refunded": "22.80",
        },
        ORDER,
        "19.00 0.00 22.80",
        "48.21 66.98",
    ),
    "goodwill": (
        {"adjustment_positive": "2.00", "total_refunded": "2.00"},
        ORDER,
        "2.00 0.00 2.00",
        "65.21 87.78",
    ),
    "the shipping back": (
        {"shipping_refunded": "8.24", "tax_refunded": "1.56", "total_refunded": "9.80"},
        ORDER,
        "0.00 8.24 9.80",
        "67.21 79.98",
    ),
    "refunded in part, the rest cancelled": (
        {
            "subtotal_invoiced": "47.21",
            "subtotal_refunded": "10.00",
            "tax_refunded": "1.90",
            "total_refunded": "11.90",
            "total_canceled": "23.80",
        },
        ORDER,
        "30.00 0.00 35.70",
        "37.21 54.08",
    ),
    "never paid": (
        {"state": "pending_payment", "total_paid": "0.00"},
        ORDER,
        "0.00 0.00 0.00",
        "0.00 0.00",
    ),
    "seen in dollars": (
        {"to_order_rate": "1.25", "order_currency_code": "USD"},
        ORDER,
        "0.00 0.00 0.00",
        "67.21 89.78",
    ),
}


def by_hand(changed: dict[str, Any]) -> dict[str, Any]:
    amounts = {
        key if key in ("state", "order_currency_code") else f"base_{key}": value
        if key in ("state", "order_currency_code")
        else Decimal(value)
        for key, value in changed.items()
    }
    return {**PLAIN, **amounts}


def test_check_16_magento_orders_come_to_a_ledger_made_by_hand(told: Told) -> None:
    wrong = []
    for name, (changed, parts, back, net) in BY_HAND.items():
        order = parse_order(by_hand(changed), "eu", VIEWS, HASHER)
        found = (
            cents(order, "goods", "discount", "tax", "shipping", "total"),
            f"{order.refunded_value:.2f} {order.refunded_shipping:.2f} {order.refunded_total:.2f}",
            f"{net_value(order):.2f} {net_value(order, 'gross'):.2f}",
        )
        exact = all(isinstance(value, Decimal) for value in (order.goods_value, net_value(order)))
        if found != (parts, back, net) or not exact:
            wrong.append((name, found))
    told("sales, refunds, fees, cancelled parts (Magento)", len(BY_HAND), wrong=len(wrong))


def cents(order: Any, *names: str) -> str:
    return " ".join(f"{getattr(order, f'{name}_value'):.2f}" for name in names)


def test_check_17_broken_payloads_crash_nothing_and_are_named(told: Told) -> None:
    tries = told.often(600, 10_000)
    crashed = silent = refused = 0
    for name, share in (("orders", 0.6), ("refunds", 0.3), ("customers", 0.1)):
        originals, read, money = magento_mutations.CASES[name]
        right = {id(one): money(read(one)) for one in originals}
        for raw, original, changed in magento_mutations.mutations(originals, int(tries * share)):
            try:
                found = money(read(raw))
            except PayloadError as error:
                refused += 1
                silent += not error.field
                continue
            except Exception:
                crashed += 1
                continue
            same = found == right[id(original)]
            silent += not (same or any(starmap(magento_mutations.may_be_so, changed.items())))
    assert refused > tries / 20
    told("broken Magento payloads", tries, crashes=crashed, silently_wrong=silent)


#: Of a refund: duties are null where there were none, and the shop's own samples of shipping that
#: went back have no tax.
MAY_BE_MISSING = ("total_duties_set", "tax_amount_set")


def is_left_out(where: tuple[Any, ...], junk: Any) -> bool:
    left_out = junk is None or junk is shopify_mutations.GONE
    return left_out and "refunds" in where and where[-1] in MAY_BE_MISSING


def make_up(payload: Any, read: Any, done: list[Any]) -> bool:
    """Whether breaks made up for one another, so that all adds up: each alone is refused."""
    return len(done) > 1 and all(
        read(shopify_mutations.mutated(payload, where, junk)).rejects for where, junk in done
    )


def test_check_17_broken_shopify_payloads_crash_nothing_and_are_named(told: Told) -> None:
    tries = told.often(600, 10_000)
    rng = random.Random(17)  # noqa: S311
    sources = [
        (payload, read, list(shopify_mutations.paths(payload)), right)
        for payload, read in shopify_mutations.bases(shopify_payloads.Make)
        if (right := shopify_mutations.amounts(read(payload)))
    ]
    crashed = silent = refused = 0
    for _ in range(tries):
        payload, read, places, right = rng.choice(sources)
        broken, done = shopify_mutations.broken(rng, payload, places)
        if any(is_left_out(where, junk) for where, junk in done):
            continue
        try:
            parsed = read(broken)
        except Exception:
            crashed += 1
            continue
        refused += len(parsed.rejects)
        silent += len(parsed.orders) + len(parsed.rejects) != 1
        silent += not all(reject.field for reject in parsed.rejects)
        other = parsed.orders and shopify_mutations.amounts(parsed) != right
        silent += bool(other) and not make_up(payload, read, done)
    assert refused > tries / 20
    told("broken Shopify payloads", tries, crashes=crashed, silently_wrong=silent)


def test_check_17_fields_that_nobody_knows_are_of_no_account(told: Told, tmp_path: Path) -> None:
    """Unknown fields in every object of a payload; and bad rows are kept, counted and named."""
    changed = 0
    originals, read, money = magento_mutations.CASES["orders"]
    for raw in originals:
        grown = {**raw, "nobody_knows": {"a": [1]}, "items": [
            {**item, "nor_this": None} for item in raw["items"]]}  # fmt: skip
        changed += money(read(grown)) != money(read(raw))
    bad = [{**PLAIN, "entity_id": n, "base_subtotal": "x"} for n in range(1, 9)]
    rejects = []
    for raw in bad:
        with pytest.raises(PayloadError) as error:
            parse_order(raw, "eu", VIEWS, HASHER)
        rejects.append(Reject("eu", "orders", str(raw["entity_id"]), error.value.field, "bad"))
    with Store.open(tmp_path / "s.duckdb", now=START) as store:
        store.commit("eu", "orders", Page({}, rejects=rejects), at=START)
        kept = store.rejects("eu")
    unnamed = len(bad) - int((kept["field"] == "base_subtotal").sum())
    told("payloads with unknown fields; rows put aside", len(originals) + len(bad),
         changed=changed, unnamed=unnamed)  # fmt: skip
