"""Pages in: what is kept, what is not kept twice, what is put aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_rows import NOW, customer, guest, line, order, page, refund

from connectors.platform import Page, Reject
from connectors.schema import Order
from connectors.store import Store
from connectors.store.rows import TABLES, digest

LATER = NOW + timedelta(minutes=1)


def commit(store: Store, page: Page, stream: str = "orders") -> int:
    return store.commit("eu", stream, page, at=NOW)


def rows(store: Store, what: str, shop: str = "eu") -> list[dict[str, Any]]:
    reader = store.reader(what, shops=[shop], as_of=NOW.date())
    found: list[dict[str, Any]] = reader.read_all().to_pylist()
    return found


def states(store: Store) -> dict[str, str]:
    return {row["order_id"]: row["state"] for row in rows(store, "orders")}


def logged(store: Store, table: str) -> int:
    return int(store.connection.execute(f"select count(*) from {table}").fetchall()[0][0])  # noqa: S608


# ---------------------------------------------------------------------------------- kept as it came


def test_an_order_comes_back_as_it_went_in(store: Store) -> None:
    sent = order("1", coupon="MAY", channel=None, tax_value=Decimal("0.0001"))
    commit(store, page(sent))
    found = rows(store, "orders")[0]
    assert Order(**{field.name: found[field.name] for field in fields(Order)}) == sent


def test_every_table_comes_back_with_its_own_columns(store: Store) -> None:
    sent = (line("1"), refund("5"), customer("7"))
    commit(store, page(order("1"), *sent))
    for what, row in zip(("order_lines", "refunds", "customers"), sent, strict=True):
        assert rows(store, what) == [{f.name: getattr(row, f.name) for f in fields(row)}]


def test_instants_are_stored_in_utc_without_a_zone(store: Store) -> None:
    commit(store, page(order("1", ordered_at=NOW)))
    stored = store.connection.execute("select ordered_at::varchar from orders").fetchall()
    assert stored == [("2026-11-22 01:30:00",)]


# ---------------------------------------------------------------------------- a repeat adds nothing


def test_the_same_page_twice_adds_nothing(store: Store) -> None:
    sent = page(order("1"), line("1", 1), line("1", 2), refund("5"), customer("7"))
    assert commit(store, sent) == 3
    before = store.content_hash()
    assert commit(store, sent) == 0
    assert [logged(store, table) for table in TABLES] == [1, 2, 1, 1]
    assert store.content_hash() == before


def test_lines_in_another_order_are_the_same_lines(store: Store) -> None:
    commit(store, page(order("1"), line("1", 1), line("1", 2)))
    assert commit(store, page(order("1"), line("1", 2), line("1", 1))) == 0


def test_money_written_with_more_zeros_is_the_same_money(store: Store) -> None:
    commit(store, page(order("1", tax_value=Decimal(0))))
    assert commit(store, page(order("1", tax_value=Decimal("-0.0000")))) == 0


def test_a_line_that_changes_changes_its_order(store: Store) -> None:
    commit(store, page(order("1"), line("1")))
    assert commit(store, page(order("1"), line("1", unit_cost=None))) == 1
    assert [row["unit_cost"] for row in rows(store, "order_lines")] == [None]


def test_a_line_that_goes_is_gone(store: Store) -> None:
    commit(store, page(order("1"), line("1", 1), line("1", 2)))
    commit(store, page(order("1", updated_at=NOW), line("1", 2)))
    assert [row["line_id"] for row in rows(store, "order_lines")] == ["1-2"]


def test_an_order_that_goes_back_to_what_it_was_ends_so(store: Store) -> None:
    for minutes, state in enumerate(("paid", "complete", "paid")):
        updated = order("1", state=state, updated_at=NOW + timedelta(minutes=minutes))
        assert commit(store, page(updated)) == 1
    assert states(store) == {"1": "paid"}


def test_an_outdated_version_changes_nothing(store: Store) -> None:
    commit(store, page(order("1", state="refunded", updated_at=LATER)))
    assert commit(store, page(order("1", state="paid", updated_at=NOW))) == 0
    assert states(store) == {"1": "refunded"}


def test_of_two_versions_with_one_instant_the_later_arrival_stands(store: Store) -> None:
    for state in ("paid", "complete", "paid"):
        commit(store, page(order("1", state=state)))
    assert states(store) == {"1": "paid"}


def test_of_an_order_twice_on_a_page_the_last_update_stands(store: Store) -> None:
    newer = order("1", state="refunded", updated_at=LATER)
    assert commit(store, page(newer, order("1"))) == 1
    assert states(store) == {"1": "refunded"}


def test_a_refund_and_a_customer_that_change_stand_as_they_came_last(store: Store) -> None:
    commit(store, page(refund("5"), customer("7")))
    commit(store, page(refund("5", refunded_total=Decimal(1)), customer("7", group="9")))
    commit(store, page(refund("5"), customer("7", group=None)))
    assert [row["refunded_total"] for row in rows(store, "refunds")] == [Decimal(36)]
    assert [row["group"] for row in rows(store, "customers")] == [None]


def test_shops_with_the_same_ids_stay_apart(store: Store) -> None:
    commit(store, page(order("1")))
    store.commit("us", "orders", page(order("1", shop="us", state="open")), at=NOW)
    assert states(store) == {"1": "complete"}
    assert store.counts("us") == {"orders": 1, "order_lines": 0, "refunds": 0, "customers": 0}


versions = st.builds(
    lambda number, minute, state, lines: (
        order(str(number), state=state, updated_at=NOW + timedelta(minutes=minute)),
        [line(str(number), n) for n in range(lines)],
    ),
    st.integers(1, 4),
    st.integers(0, 4),
    st.sampled_from(["paid", "complete", "refunded"]),
    st.integers(0, 2),
)
histories = st.lists(st.lists(versions, max_size=4, unique_by=lambda v: v[0].order_id), max_size=8)
fresh_shops = (f"shop{number}" for number in count())


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("shared")
    with Store.open(folder / "store.duckdb", now=NOW) as store:
        yield store


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.data())
def test_any_history_in_any_pages_ends_as_a_plain_dictionary_does(
    shared_store: Store, history: list[list[Any]], data: st.DataObject
) -> None:
    shop = next(fresh_shops)
    latest: dict[str, Any] = {}
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=3)) if history else []
    for versions_ in [*history, *repeats]:
        for sent, lines in versions_:
            known = latest.get(sent.order_id)
            if known is None or sent.updated_at >= known[0].updated_at:
                latest[sent.order_id] = (sent, lines)
        placed = [replace(row, shop=shop) for sent, lines in versions_ for row in (sent, *lines)]
        shared_store.commit(shop, "orders", page(*placed), at=NOW)
        assert shared_store.commit(shop, "orders", page(*placed), at=NOW) == 0
    assert standing(shared_store, shop) == {
        (key, sent.state, sent.updated_at.replace(tzinfo=None), frozenset(r.line_id for r in lines))
        for key, (sent, lines) in latest.items()
    }


def standing(store: Store, shop: str) -> set[tuple[object, ...]]:
    """Order, state, instant and lines, read from the latest rows."""
    sql = """
        select o.order_id, o.state, o.updated_at, list(l.line_id) filter (l.line_id is not null)
        from latest_orders o left join latest_order_lines l using (shop, order_id)
        where o.shop = ? group by all
    """
    found = store.connection.execute(sql, [shop]).fetchall()
    return {(*order_, frozenset(lines or ())) for *order_, lines in found}


# ------------------------------------------------------------------------------- rows and cursor


def test_rows_and_cursor_come_together(store: Store) -> None:
    assert store.cursor("eu", "orders") is None
    commit(store, page(order("1"), cursor={"since": "2026", "page": 3}))
    assert store.cursor("eu", "orders") == {"since": "2026", "page": 3}
    assert store.cursor("eu", "customers") is None


def test_a_commit_that_fails_keeps_neither_rows_nor_cursor(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("connectors.store.log.put_aside", fail)
    with pytest.raises(RuntimeError):
        commit(store, page(order("1")))
    assert (store.cursor("eu", "orders"), logged(store, "orders")) == (None, 0)


def test_a_forgotten_cursor_forgets_no_rows(store: Store) -> None:
    commit(store, page(order("1")))
    store.forget_cursor("eu", "orders")
    assert store.cursor("eu", "orders") is None
    assert commit(store, page(order("1"))) == 0


# -------------------------------------------------------------------------------------- quarantine


def aside(store: Store) -> list[tuple[str, str, str]]:
    frame = store.rejects("eu")
    return list(frame[["stream", "row_id", "field"]].itertuples(index=False, name=None))


def test_a_row_stays_aside_until_it_comes_well(store: Store) -> None:
    commit(store, page(rejects=[Reject("eu", "orders", "1", "items[0].qty", "not a number")]))
    commit(store, page(order("2")))
    assert aside(store) == [("orders", "1", "items[0].qty")]
    commit(store, page(order("1")))
    assert aside(store) == []


def test_a_good_order_frees_no_refund_of_the_same_number(store: Store) -> None:
    commit(store, page(rejects=[Reject("eu", "refunds", "1", "total", "missing")]))
    commit(store, page(order("1"), customer("1")))
    assert aside(store) == [("refunds", "1", "total")]
    commit(store, page(refund("1")))
    assert aside(store) == []


def test_a_row_that_is_refused_again_keeps_its_age_and_tells_its_last_reason(store: Store) -> None:
    for minute, field in enumerate(("total", "state")):
        sent = page(rejects=[Reject("eu", "orders", "1", field, "why")])
        store.commit("eu", "orders", sent, at=NOW + timedelta(minutes=minute))
    found = store.rejects("eu").iloc[0]
    assert (found["field"], found["first_seen_at"], found["last_seen_at"]) == ("state", NOW, LATER)


def test_reading_a_stream_from_its_start_empties_its_quarantine(store: Store) -> None:
    streams = ("orders", "refunds", "customers")
    commit(store, page(rejects=[Reject("eu", stream, "?", "id", "missing") for stream in streams]))
    again = page(order("1"), rejects=[Reject("eu", "orders", "2", "id", "missing")])
    commit(store, replace(again, begins=True))
    assert aside(store) == [("customers", "?", "id"), ("orders", "2", "id")]


def test_orders_that_are_gone_leave_with_their_lines_and_refunds(store: Store) -> None:
    commit(store, page(order("1"), order("2"), line("1"), line("2"), refund("9", order_id="2")))
    commit(store, replace(page(order("3")), all_orders=["1", "3"]))
    assert set(states(store)) == {"1", "3"}
    counts = store.counts("eu")
    assert (counts["order_lines"], counts["refunds"]) == (1, 0)


def test_a_row_whose_updated_at_alone_moved_is_no_news_but_the_newest(store: Store) -> None:
    commit(store, page(order("1"), customer("7")))
    later = {"updated_at": NOW + timedelta(days=2)}
    assert commit(store, page(order("1", **later), customer("7", **later))) == 0
    between = order("1", state="open", updated_at=NOW + timedelta(days=1))
    assert commit(store, page(between)) == 0
    assert states(store) == {"1": "complete"}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"goods_value": Decimal("1e15")}, "goods_value"),
        ({"refunded_value": Decimal("0.00001")}, "refunded_value"),
        ({"refunded_total": Decimal("NaN")}, "refunded_total"),
        ({"coupon": "\ud800"}, "coupon"),
        ({"order_number": None}, "order_number"),
    ],
)
def test_a_value_that_the_store_cannot_hold_puts_its_row_aside_alone(
    store: Store, changed: dict[str, Any], field: str
) -> None:
    assert commit(store, page(order("1", **changed), order("2"), line("1"))) == 1
    assert aside(store) == [("orders", "1", field)]
    assert states(store) == {"2": "complete"}


def test_lines_without_their_order_are_put_aside_by_name(store: Store) -> None:
    commit(store, page(order("1"), line("1"), line("8")))
    assert aside(store) == [("orders", "8", "lines")]


def test_a_reason_that_is_not_valid_text_is_kept_readable(store: Store) -> None:
    commit(store, page(rejects=[Reject("eu", "orders", "1", "coupon", "found '\ud800'")]))
    assert store.rejects("eu")["reason"].tolist() == [r"found '\ud800'"]


# --------------------------------------------------------------------------------- hash, compaction


def fill(store: Store) -> None:
    for minute, state in enumerate(("open", "paid", "refunded")):
        updated = NOW + timedelta(minutes=minute)
        changing = [order(str(n), state=state, updated_at=updated) for n in range(400)]
        sold = [line(str(n), unit_cost=Decimal(minute)) for n in range(400)]
        commit(store, page(*changing, *sold, refund("5", refunded_at=updated)))
    commit(store, page(customer("7"), guest("g", None)))


def test_the_hash_tells_content_from_the_way_it_came(store: Store, tmp_path: Path) -> None:
    fill(store)
    with Store.open(tmp_path / "other.duckdb", now=LATER) as other:
        final = [
            order(str(n), state="refunded", updated_at=NOW + timedelta(minutes=2))
            for n in range(400)
        ]
        sold = [line(str(n), unit_cost=Decimal(2)) for n in range(400)]
        back = refund("5", refunded_at=NOW + timedelta(minutes=2))
        other.commit("eu", "orders", page(*reversed(sold), customer("7")), at=LATER)
        other.commit("eu", "orders", page(*reversed(final), *sold, back), at=LATER)
        other.commit("eu", "orders", page(customer("7"), guest("g", None)), at=LATER)
        assert other.content_hash() == store.content_hash()


@pytest.mark.parametrize(
    "change",
    [
        "update orders set coupon = 'X' where order_id = '17' and state = 'refunded'",
        "update order_lines set unit_cost = 2.0001 where order_id = '17'",
        "delete from order_lines where order_id = '17'",
        "update customers set email_key = null",
        "delete from cursors",
        "delete from refunds",
    ],
)
@pytest.mark.parametrize("store", ["duckdb"], indirect=True)  # SQL into its tables
def test_the_hash_sees_every_change_of_content(store: Store, change: str) -> None:
    fill(store)
    before = store.content_hash()
    store.connection.execute(change)
    assert store.content_hash() != before


def test_compaction_drops_what_is_superseded_and_nothing_else(store: Store, path: Path) -> None:
    fill(store)
    before = store.content_hash()
    store.compact()
    assert store.content_hash() == before
    assert [logged(store, table) for table in TABLES] == [401, 400, 1, 1]
    late = order("1", state="paid", updated_at=NOW)
    assert commit(store, page(late)) == 0


def test_a_row_put_aside_that_is_gone_from_the_shop_leaves_the_quarantine(store: Store) -> None:
    rejects = [Reject("eu", stream, "7", "", "can't be served") for stream in ("orders", "refunds")]
    store.commit("eu", "orders", page(rejects=rejects), at=NOW)
    store.commit("eu", "orders", page(settled=[("orders", "7")]), at=NOW)
    assert list(store.rejects("eu")["stream"]) == ["refunds"]


# ------------------------------------------------------------------------- the country came later


def test_an_order_without_a_country_has_the_digest_that_it_had_before_there_were_any() -> None:
    with_line = digest(order("1", coupon="MAY"), [line("1")])
    assert with_line.hex() == "6832ad3891d0a7ed1e3e397dc7de55cc"
    assert digest(order("1")).hex() == "7bdfad4aa4f3e65fe0f2ee83ea9f0776"
    assert digest(order("1", country="SE")) not in (with_line, digest(order("1")))


def test_a_store_of_before_learns_a_country_when_the_shop_shows_the_order_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, now=NOW) as store:
        commit(store, page(order("1"), order("2")))
        for name in TABLES:
            store.connection.execute(f"drop view latest_{name}")
        store.connection.execute("alter table orders drop column country")
        store.connection.execute("delete from schema_version where version > 4")
    with Store.open(path, now=NOW) as store:
        assert [row["country"] for row in rows(store, "orders")] == [None, None]
        assert commit(store, page(order("1"))) == 0  # still nobody says it
        assert commit(store, page(order("2", country="SE"))) == 1
        assert {row["order_id"]: row["country"] for row in rows(store, "orders")} == {
            "1": None,
            "2": "SE",
        }
