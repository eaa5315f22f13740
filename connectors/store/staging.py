"""What a scoring reads several times, worked out once, in the memory that there is.

Staged tables live in a database of their own in memory, as long as the store is open; what doesn't
fit there goes to the disk like all else of DuckDB's. Each is of one shop and named after everything
it follows from (what was asked, how far the shop's log and scores have come), so one that is there
is true, whatever comes in from other shops meanwhile. A new one takes the place of its kind. To
stage takes a connection of one's own (`cursor`): the store's may be in a transaction, and that can
write to one database alone.

In one query all would be worked out at once, and need the memory of all at once: two gigabytes have
no room for a shop of a million persons. So one thing is worked out after another, and what grows
with the shop in passes of some `ROWS` orders: first by page, since an order came with its lines and
no pass has to read what another has read, then by person. Parts are ranges of persons, so that what
is sorted in each is sorted in all, and no sort has to hold the whole shop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from duckdb import DuckDBPyConnection

from connectors.store import saying, tables
from connectors.store.connection import transaction
from connectors.store.reading import Asked
from connectors.store.rows import KEYS
from connectors.store.saying import quoted
from connectors.store.scores import latest_until

#: A query and its passes: statements that set out the rows which it reads then.
Work = tuple[str, Sequence[str]]
ONCE = ("",)
#: Orders at a time in the memory that DuckDB has by default, 1.3 GiB; with more of it more.
ROWS, ROOM = 500_000, 1.3 * 2**30
#: Orders by which a part's bounds are found.
SAMPLED_A_PART = 500
SEVERAL = """
    select shop, order_id, updated_at, seq from orders where shop = {shop} and hash(order_id) in (
        select hash(order_id) from orders where shop = {shop} group by all having count(*) > 1
    )
"""
#: About how many persons a sample has at least, where a shop has more.
SAMPLE = 100_000


# ------------------------------------------------------------------------------------- all persons


def people(connection: DuckDBPyConnection, asked: Asked, with_traits: bool) -> str:
    """The persons of the summary, sorted by person_key and currency, for `saying.told`.

    Each with the `previous_tier`; `with_traits` adds those of their first order.
    """

    def worked_out() -> Work:
        pages = _pages(connection, asked.shop)
        parts = _Parts.of(connection, asked.shop, len(pages))
        sets = {"a_part": _orders(connection, asked, pages, parts, with_traits)}
        sets["a_tier"] = _tiers(connection, asked, parts)
        sql = f"select * from ({saying.persons()})"
        if with_traits:
            sets["a_trait"] = _traits(connection, asked, pages, parts, sets["a_part"])
            sql += " left join (select * exclude (part) from a_trait) using (person_key, currency)"
        sql += " left join (select * exclude (part) from a_tier) using (person_key)"
        sql += " order by person_key, currency"
        return sql, parts.passes(sets)

    key = (*asked, with_traits, *_come(connection, asked.shop, "scores"))
    name = _staged(connection, asked.shop, "people", worked_out, key)
    for kind in ("orders", "firsts", "traits", "tiers"):  # they have served
        _drop(connection, kind)
    return name


@dataclass(frozen=True)
class _Parts:
    """Ranges of persons, about as many orders in each; `bounds` are the first ones of all others.

    Rows of a range are found quickly in a table that is sorted by `part`.
    """

    bounds: Sequence[str]

    @classmethod
    def of(cls, connection: DuckDBPyConnection, shop: str, many: int) -> _Parts:
        """By a sample of the orders, always the same one."""
        sql = (
            "select person_key from orders where shop = ? and person_key is not null"
            " and hash(order_id) % ? = 0 order by person_key"
        )
        one_in = max(1, ROWS // SAMPLED_A_PART)
        keys = [key for (key,) in connection.execute(sql, [shop, one_in]).fetchall()]
        return cls(sorted({keys[len(keys) * n // many] for n in range(1, many)} if keys else ()))

    @property
    def part(self) -> str:
        """Which part a row's person_key belongs to."""
        return _place(self.bounds, 0, len(self.bounds))

    def passes(self, tables: Mapping[str, str]) -> list[str]:
        """One for each part: its rows of the tables, by the names that the query has for them."""
        return [
            "".join(_view(name, f"{table} where part = {n}") for name, table in tables.items())
            for n in range(len(self.bounds) + 1)
        ]


def _place(bounds: Sequence[str], low: int, high: int) -> str:
    """How many bounds aren't above person_key, by halving."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    below, above = _place(bounds, low, middle), _place(bounds, middle + 1, high)
    return f"case when person_key < {quoted(bounds[middle])} then {below} else {above} end"


def _orders(
    connection: DuckDBPyConnection,
    asked: Asked,
    pages: Sequence[str],
    parts: _Parts,
    with_traits: bool,
) -> str:
    """The counting orders, each with the part that its person belongs to."""
    valued = saying.of(asked, saying.valued(saying.any_like(asked), with_traits))
    sql = f"select *, {parts.part} as part from ({valued}) order by part"
    log = _whole_log(connection, asked)
    passes = [_page(asked.shop, page, log) for page in pages]
    return _staged(connection, asked.shop, "orders", lambda: (sql, passes), (*asked, with_traits))


def _tiers(connection: DuckDBPyConnection, asked: Asked, parts: _Parts) -> str:
    """What tier each person showed so far: of a day in the past, by then."""
    sql = (
        f"select person_key, tier as previous_tier, {parts.part} as part"
        f" from ({latest_until(quoted(asked.shop), asked.as_of)}) order by part"
    )
    key = (asked.as_of, *_come(connection, asked.shop, "scores"))
    return _staged(connection, asked.shop, "tiers", lambda: (sql, ONCE), key)


def _traits(
    connection: DuckDBPyConnection, asked: Asked, pages: Sequence[str], parts: _Parts, orders: str
) -> str:
    """What all persons came by: by part their first orders, by page these orders' lines."""
    passes = parts.passes({"a_part": orders})
    shop = asked.shop
    firsts = _staged(connection, shop, "firsts", lambda: (saying.first_orders(), passes), asked)
    sql = f"select *, {parts.part} as part from ({saying.traits()})"
    views = [_view("a_first", f"{firsts} where {page}") + _lines(shop, page) for page in pages]
    return _staged(connection, shop, "traits", lambda: (sql, views), asked)


# ---------------------------------------------------------------------------------------- a sample


def sample(connection: DuckDBPyConnection, asked: Asked) -> str:
    """The counting orders of all persons, or of a fixed sample of a large shop's; without costs."""
    valued = saying.of(asked, saying.valued(saying.any_like(asked), with_traits=True))
    chosen = in_sample(connection, asked.shop)
    rows = _all(asked.shop, _whole_log(connection, asked)) + _lines(asked.shop, "false")
    sql = f"select * from ({valued}) where {chosen}"
    return _staged(connection, asked.shop, "sample", lambda: (sql, [rows]), (*asked, chosen))


def in_sample(connection: DuckDBPyConnection, shop: str) -> str:
    """Whether a person is in the sample: one of as many as `SAMPLE` asks for, by all who ordered.

    Their number is an estimate, but for the same orders always the same. As a constant, the share
    reaches the orders before anything is worked out of them.
    """
    sql = "select approx_count_distinct(person_key) from orders where shop = ?"
    ((persons,),) = connection.execute(sql, [shop]).fetchall()
    return f"hash(person_key) % {max(1, persons // SAMPLE)} = 0"


# ----------------------------------------------------------------------------------------- the log


def _rows(connection: DuckDBPyConnection) -> int:
    """Orders in a pass. Every part has rows in every page, and each page's are fetched for each
    part: with half as many of both a quarter is fetched."""
    sql = "select parse_formatted_bytes(current_setting('memory_limit'))"
    ((room,),) = connection.execute(sql).fetchall()
    return max(ROWS, int(ROWS * room / ROOM))


def _pages(connection: DuckDBPyConnection, shop: str) -> list[str]:
    """Conditions on `seq` that share a shop's log into passes; at least one."""
    found = connection.execute(
        "select min(seq), max(seq) from ("
        " select seq, (sum(count(*)) over (order by seq) - 1) // ? as pass"
        " from orders where shop = ? group by seq"
        ") group by pass order by pass",
        [_rows(connection), shop],
    ).fetchall()
    return [f"seq between {first} and {last}" for first, last in found] or ["true"]


def set_out_standing_orders(connection: DuckDBPyConnection, shop: str) -> None:
    """For this connection alone."""
    connection.execute(_standing_orders(shop, "true", superseded(connection, shop)))


class _Log(NamedTuple):
    """Where that is which the whole log has a say in."""

    superseded: str
    customers: str
    refunds: str


def _whole_log(connection: DuckDBPyConnection, asked: Asked) -> _Log:
    shop = asked.shop
    guests = _of(shop, tables.sql(tables.guests(tables.stored())))
    customers = _staged(connection, shop, "guests", lambda: (guests, ONCE))
    later = _of(shop, saying.of(asked, saying.refunds_after(saying.any_like(asked))))
    refunds = _staged(connection, shop, "later", lambda: (later, ONCE), [asked.as_of])
    return _Log(superseded(connection, shop), customers, refunds)


def _of(shop: str, rows: str) -> str:
    return f"select * from ({rows}) where shop = {quoted(shop)}"


def superseded(connection: DuckDBPyConnection, shop: str) -> str:
    """Where the rows of a shop's orders are that no longer stand: shop, order_id, seq.

    Looked for among those whose hash occurs more than once: numbers are counted in a fraction of
    the memory that texts take, and few orders are left then.
    """

    def worked_out() -> Work:
        twice = SEVERAL.format(shop=quoted(shop))
        several = _staged(connection, shop, "several", lambda: (twice, ONCE))
        sql = f"select * from ({saying.superseded()}) order by seq"  # a page's are found quickly
        return sql, [_view("a_several", several)]

    name = _staged(connection, shop, "superseded", worked_out)
    _drop(connection, "several")
    return name


def _all(shop: str, log: _Log) -> str:
    """Sets out the standing rows of all pages, as `summary` reads them."""
    return (
        _standing_orders(shop, "true", log.superseded)
        + _lines(shop, "true")
        + _view("standing_customers", log.customers)
        + _view("standing_refunds", log.refunds)
    )


def _page(shop: str, page: str, log: _Log) -> str:
    """The same of one page, and of all else what its orders can meet.

    What grows with the shop must not be gone through once for each page.
    """
    rows = f"from orders where {page} and shop = {quoted(shop)}"
    guests = f"select person_key as email_key {rows} and customer_id is null"
    return (
        _standing_orders(shop, page, f"(from {log.superseded} where {page})")
        + _lines(shop, page)
        + _view("standing_customers", f"{log.customers} semi join ({guests}) using (email_key)")
        + _view("standing_refunds", f"{log.refunds} semi join ({rows}) using (order_id)")
    )


def _standing_orders(shop: str, page: str, superseded: str) -> str:
    orders = f"orders anti join {superseded} as old using (shop, order_id, seq)"
    return _view("standing_orders", f"{orders} where {page} and shop = {quoted(shop)}")


def _lines(shop: str, page: str) -> str:
    return _view("standing_order_lines", f"order_lines where {page} and shop = {quoted(shop)}")


# ----------------------------------------------------------------------------------- staged tables


def _view(name: str, rows: str) -> str:
    return f"create or replace temp view {name} as from {rows};"


def _staged(
    connection: DuckDBPyConnection,
    shop: str,
    kind: str,
    worked_out: Callable[[], Work],
    key: Sequence[object] = (),
) -> str:
    """The table with what a query gives in all its passes, which are made where it isn't there."""
    name = f"{kind}_{_digest(connection, shop, key)}"
    if name not in _there(connection, kind):
        sql, passes = worked_out()
        with transaction(connection):
            _drop(connection, kind)
            for number, rows in enumerate(passes):
                how = f"insert into staged.{name}" if number else f"create table staged.{name} as"
                connection.execute(f"{rows} {how} {sql}")
    return f"staged.{name}"


def _drop(connection: DuckDBPyConnection, kind: str) -> None:
    for name in _there(connection, kind):
        connection.execute(f"drop table staged.{name}")


def _there(connection: DuckDBPyConnection, kind: str) -> list[str]:
    sql = (
        "select table_name from duckdb_tables()"
        " where database_name = 'staged' and starts_with(table_name, ?)"
    )
    return [name for (name,) in connection.execute(sql, [f"{kind}_"]).fetchall()]


def _digest(connection: DuckDBPyConnection, shop: str, key: Sequence[object]) -> str:
    """Of what was asked, and of how far the shop's log has come."""
    whole = (shop, *_come(connection, shop, *KEYS), *key)
    return hashlib.blake2b(repr(whole).encode(), digest_size=8).hexdigest()


def _come(connection: DuckDBPyConnection, shop: str, *names: str) -> list[tuple[int, int | None]]:
    """How far a shop's rows have come: what is added has a greater `seq`, what leaves is missed."""
    sql = " union all ".join(
        f"select count(*), max(seq) from {name} where shop = $shop" for name in names
    )
    return connection.execute(sql, {"shop": shop}).fetchall()
