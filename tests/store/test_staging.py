"""What a scoring reads is worked out in passes, and says what one query would say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from made_rows import NOW, customer, guest, line, order, page, refund

from connectors.schema import Order, OrderLine
from connectors.store import Store, staging

AS_OF = NOW.date() - timedelta(days=60)
WHOLE: dict[str, Any] = {
    "state": "refunded",
    "refunded_value": Decimal(90),
    "refunded_total": Decimal(113),
}


def made(rng: random.Random, order_id: str, version: int) -> Order:
    """An order of one of some twenty persons, guests among them who registered later."""
    made_by = rng.choice((order, guest))
    person = f"{rng.randrange(20)}"
    who = {"customer_id": person, "person_key": person}
    row = {
        "ordered_at": NOW - timedelta(days=rng.randrange(200), hours=rng.randrange(24)),
        "updated_at": NOW + timedelta(days=version),
        "currency": rng.choice(["EUR", "EUR", "USD"]),
        "goods_value": Decimal(rng.randrange(1, 10**6)).scaleb(-4) + 10,
        "channel": rng.choice(["web", "pos", None]),
        "coupon": rng.choice(["WELCOME", None]),
        "state": rng.choice(["open", "paid", "complete", "complete", "cancelled"]),
        **(WHOLE if rng.random() < 0.2 else {}),
    }
    if made_by is guest:
        return guest(order_id, f"guest-{person}", **row)
    return order(order_id, **who, **row)


def lines(rng: random.Random, order_id: str) -> Iterator[OrderLine]:
    for number in range(rng.randrange(3)):
        cost = rng.choice([Decimal("20.50"), Decimal("1.2345"), Decimal(3), None])
        worth = {"net_value": Decimal(rng.randrange(100)), "category": f"c{rng.randrange(4)}"}
        yield line(order_id, number, unit_cost=cost, **worth)


def fill(store: Store, rng: random.Random) -> None:
    """Many pages: orders that come again with another content, refunds, customers, scores."""
    for number in range(20):
        ids = [f"{rng.randrange(60)}" for _ in range(6)]
        store.commit(
            "eu",
            "orders",
            page(
                *(made(rng, order_id, number) for order_id in ids),
                *(row for order_id in dict.fromkeys(ids) for row in lines(rng, order_id)),
                *(refund(f"r{n}", order_id=n) for n in ids[:1]),
                customer(f"{number}", email_key=f"guest-{rng.randrange(20)}"),
            ),
            at=NOW,
        )
    store.commit("us", "orders", page(order("1", shop="us", ordered_at=NOW)), at=NOW)


def to_score(store: Store, shop: str = "eu", **how: Any) -> pd.DataFrame:
    known = {"as_of": AS_OF, "with_traits": True} | how
    return store.to_score(shop, **known).read_pandas()


def staged(store: Store) -> list[str]:
    sql = "select table_name from duckdb_tables() where database_name = 'staged' order by all"
    return [name for (name,) in store.connection.execute(sql).fetchall()]


def forget_staged(store: Store) -> None:
    for name in staged(store):
        store.connection.execute(f"drop table staged.{name}")


@pytest.mark.parametrize(
    ("seed", "currency"),
    [(0, None), (1, "EUR"), pytest.param(2, None, marks=pytest.mark.thorough)],
)
def test_passes_find_what_one_query_finds(
    store: Store, monkeypatch: pytest.MonkeyPatch, seed: int, currency: str | None
) -> None:
    fill(store, random.Random(seed))  # noqa: S311  # the same shop every time
    whole = store.summary("eu", as_of=AS_OF, currency=currency)
    at_once = to_score(store, currency=currency)
    forget_staged(store)
    monkeypatch.setattr(staging, "ROWS", 7)
    in_passes = to_score(store, currency=currency)
    assert len(whole) > 5
    pd.testing.assert_frame_equal(in_passes[list(whole.columns)], whole)
    pd.testing.assert_frame_equal(in_passes, at_once)
    assert {*in_passes["coupon"]} == {"coupon", "none"}
    assert in_passes["category"].notna().any()


def test_the_sample_of_a_small_shop_is_all_of_it(store: Store) -> None:
    fill(store, random.Random(1))  # noqa: S311
    traits = store.traits("eu", as_of=AS_OF, currency="EUR")
    told = to_score(store, currency="EUR").set_index("person_key")
    pd.testing.assert_frame_equal(
        traits.sort_index(), told[list(traits.columns)], check_names=False
    )


def test_what_was_staged_gives_way_to_news(store: Store) -> None:
    store.commit("eu", "orders", page(order("1"), order("2", customer_id="8")), at=NOW)
    now = {"as_of": NOW.date()}
    assert to_score(store, **now)["person_key"].tolist() == ["7", "8"]
    store.commit("eu", "orders", page(order("3", customer_id="9")), at=NOW)
    assert to_score(store, **now)["person_key"].tolist() == ["7", "8", "9"]
    store.commit("eu", "orders", page(all_orders=["1", "3"]), at=NOW)
    assert to_score(store, **now)["person_key"].tolist() == ["7", "9"]
    shown = {"shop": ["eu"], "person_key": ["7"], "customer_id": ["7"], "tier": ["high"]}
    store.save_scores("r1", [pa.table(shown)])
    assert to_score(store, **now)["previous_tier"].fillna("none").tolist() == ["high", "none"]


def test_with_more_memory_fewer_passes_find_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "ROWS", 7)
    found = []
    for memory_mb in (1536, 4 * 1536):
        path = tmp_path / f"{memory_mb}.duckdb"
        with Store.open(path, now=NOW, memory_mb=memory_mb) as store:
            fill(store, random.Random(1))  # noqa: S311
            found.append((len(staging._pages(store.connection, "eu")), to_score(store)))
    (many, little), (few, much) = found
    assert few <= many // 3
    pd.testing.assert_frame_equal(little, much)


def test_what_was_staged_stands_while_other_shops_have_news(store: Store) -> None:
    store.commit("eu", "orders", page(order("1"), order("1", updated_at=NOW)), at=NOW)
    store.commit("us", "orders", page(order("1", shop="us", customer_id="8")), at=NOW)
    before = to_score(store, as_of=NOW.date())
    names = staged(store)
    store.commit("us", "orders", page(order("2", shop="us", customer_id="9")), at=NOW)
    pd.testing.assert_frame_equal(to_score(store, as_of=NOW.date()), before)
    assert staged(store) == names
    told = to_score(store, "us", as_of=NOW.date())
    assert told["person_key"].tolist() == ["8", "9"]


def test_each_question_gets_its_own_answer(store: Store) -> None:
    store.commit("eu", "orders", page(order("1", ordered_at=NOW)), at=NOW)
    store.commit("us", "orders", page(order("1", shop="us", customer_id="9")), at=NOW)
    today = NOW.date()
    assert to_score(store, as_of=today)["person_key"].tolist() == ["7"]
    assert to_score(store, "us", as_of=today)["person_key"].tolist() == ["9"]
    assert len(to_score(store, as_of=today - timedelta(days=1))) == 0
    assert to_score(store, as_of=today, rule="gross")["net"].tolist() == [Decimal(113)]
    assert to_score(store, as_of=today)["net"].tolist() == [Decimal(90)]


def test_it_can_be_read_while_scores_are_being_kept(store: Store) -> None:
    store.commit("eu", "orders", page(order("1")), at=NOW)

    def scores() -> Iterator[pa.Table]:
        for batch in store.to_score("eu", as_of=NOW.date()):
            yield pa.table({name: batch[name] for name in ("shop", "person_key", "customer_id")})

    store.save_scores("r1", scores())
    assert store.latest_scores("eu")["person_key"].tolist() == ["7"]


@pytest.mark.parametrize("store", ["duckdb"], indirect=True)
def test_only_what_is_read_again_stays_in_memory(store: Store) -> None:
    fill(store, random.Random(1))  # noqa: S311
    to_score(store)
    found = store.connection.execute(
        "select table_name from duckdb_tables() where database_name = 'staged'"
    ).fetchall()
    kinds = sorted(name.partition("_")[0] for (name,) in found)
    assert kinds == ["guests", "later", "people", "superseded"]


def test_a_shop_without_orders_has_nobody(store: Store) -> None:
    assert len(to_score(store)) == 0
    assert len(store.numbers("eu", as_of=date(2026, 1, 1))) == 0
    assert len(store.purchase_days("eu", as_of=date(2026, 1, 1))) == 0
