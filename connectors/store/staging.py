"""What a scoring reads several times, worked out once, in the memory that there is.

Staged tables live in a database of their own in memory, as long as the store is open; what doesn't
fit there goes to the disk like all else of DuckDB's. Each is named after everything it follows from
(what was asked, how far the log and the scores have come), so one that is there is true. A new one
takes the place of its kind. To stage takes a connection of one's own (`cursor`): the store's may be
in a transaction, and that can write to one database alone.

In one query all would be worked out at once, and need the memory of all at once: two gigabytes have
no room for a shop of a million persons. So one thing is worked out after another, and what grows
with the shop in passes of some `ROWS` orders: first by page, since an order came with its lines and
no pass has to read what another has read, then by person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from duckdb import DuckDBPyConnection
from ibis.expr.types import Table

from connectors.store import summary, tables
from connectors.store.connection import transaction
from connectors.store.reading import Asked
from connectors.store.rows import KEYS
from connectors.store.scores import LATEST_SCORES

#: Orders at a time: some 400 MB.
ROWS = 500_000
#: About how many persons a sample has at least, where a shop has more.
SAMPLE = 100_000


# ------------------------------------------------------------------------------------- all persons


def people(connection: DuckDBPyConnection, asked: Asked, with_traits: bool) -> Table:
    """The persons of the summary, sorted by person_key and currency, for `summary.told`.

    Each with the `previous_tier`; `with_traits` adds those of their first order.
    """
    orders = summary.valued(tables.stored(), **asked._asdict())
    persons = summary.persons(tables.named("a_part", orders))

    def worked_out() -> str:
        pages = _pages(connection, asked.shop)
        orders = _orders(connection, asked, pages, with_traits)
        parts = [_view("a_part", f"{orders} where part = {n}") for n in range(len(pages))]
        found = _staged(connection, "persons", lambda: tables.sql(persons), asked, parts)
        if with_traits:
            traits = _traits(connection, asked, pages, parts)
            found += f" left join {traits} using (person_key, currency)"
        return (
            f"select * from {found}"
            f" left join (select person_key, tier as previous_tier from ({LATEST_SCORES})"
            f" where shop = {_quoted(asked.shop)}) using (person_key)"
            " order by person_key, currency"
        )

    key = (*asked, with_traits, *_come(connection, "scores"))
    name = _staged(connection, "people", worked_out, key)
    for kind in ("orders", "persons", "firsts", "traits"):  # they have served
        _drop(connection, kind)
    return tables.named(name, persons, *(summary.TRAITS if with_traits else ()), "previous_tier")


def _orders(
    connection: DuckDBPyConnection, asked: Asked, pages: Sequence[str], with_traits: bool
) -> str:
    """The counting orders, each with the part that its person belongs to."""
    valued = summary.valued(tables.stored("standing_"), **asked._asdict())
    if not with_traits:
        valued = valued.drop(*summary.PASSED_ON)
    sql = (
        f"select *, hash(person_key) % {len(pages)} as part from ({tables.sql(valued)})"
        " order by part"  # so that a part can be read without the others
    )
    old = _whole_log(connection, asked)
    passes = [_page(asked.shop, page, old) for page in pages]
    return _staged(connection, "orders", lambda: sql, (*asked, with_traits), passes)


def _traits(
    connection: DuckDBPyConnection, asked: Asked, pages: Sequence[str], parts: Sequence[str]
) -> str:
    """What all persons came by: by part their first orders, by page these orders' lines."""
    orders = summary.valued(tables.stored(), **asked._asdict())
    first = summary.first_orders(tables.named("a_part", orders))
    firsts = _staged(connection, "firsts", lambda: tables.sql(first), asked, parts)
    traits = summary.traits(tables.named("a_first", first), tables.stored("standing_").order_lines)
    passes = [
        _view("a_first", f"{firsts} where {page}") + _lines(asked.shop, page) for page in pages
    ]
    return _staged(connection, "traits", lambda: tables.sql(traits), asked, passes)


# ---------------------------------------------------------------------------------------- a sample


def sample(connection: DuckDBPyConnection, asked: Asked) -> Table:
    """The counting orders of all persons, or of a fixed sample of a large shop's; without costs."""
    valued = summary.valued(tables.stored("standing_"), **asked._asdict())
    chosen = _in_sample(connection, asked.shop)
    old = _whole_log(connection, asked)
    rows = _page(asked.shop, "true", old) + _lines(asked.shop, "false")
    name = _staged(
        connection,
        "sample",
        lambda: f"select * from ({tables.sql(valued)}) where {chosen}",
        (*asked, chosen),
        [rows],
    )
    return tables.named(name, valued)


def _in_sample(connection: DuckDBPyConnection, shop: str) -> str:
    """Whether a person is in the sample: one of as many as `SAMPLE` asks for, by all who ordered.

    Their number is an estimate, but for the same orders always the same. As a constant, the share
    reaches the orders before anything is worked out of them.
    """
    sql = "select approx_count_distinct(person_key) from orders where shop = ?"
    ((persons,),) = connection.execute(sql, [shop]).fetchall()
    return f"hash(person_key) % {max(1, persons // SAMPLE)} = 0"


# ----------------------------------------------------------------------------------------- the log


def _pages(connection: DuckDBPyConnection, shop: str) -> list[str]:
    """Conditions on `seq` that share a shop's log into passes; at least one."""
    found = connection.execute(
        "select min(seq), max(seq) from ("
        " select seq, (sum(count(*)) over (order by seq) - 1) // ? as pass"
        " from orders where shop = ? group by seq"
        ") group by pass order by pass",
        [ROWS, shop],
    ).fetchall()
    return [f"seq between {first} and {last}" for first, last in found] or ["true"]


def standing(connection: DuckDBPyConnection, asked: Asked) -> tables.Tables:
    """The shop's standing rows: of orders and lines all, of the others what `summary` asks for.

    They are set out for this connection alone.
    """
    connection.execute(_page(asked.shop, "true", _whole_log(connection, asked)))
    return tables.stored("standing_")


def _whole_log(connection: DuckDBPyConnection, asked: Asked) -> str:
    """Works out what the whole log has a say in; gives the superseded rows of orders."""
    log = tables.stored()
    guests = _staged(connection, "guests", lambda: tables.sql(tables.guests(log)))
    later = _staged(
        connection,
        "later",
        lambda: tables.sql(tables.refunds_after(log, asked.as_of)),
        [asked.as_of],
    )
    connection.execute(_view("standing_customers", guests) + _view("standing_refunds", later))
    return superseded(connection)


def superseded(connection: DuckDBPyConnection) -> str:
    """Where the rows of orders are that no longer stand: shop, order_id, seq."""
    old = tables.superseded(tables.stored().orders)
    return _staged(connection, "superseded", lambda: tables.sql(old))


def _page(shop: str, page: str, superseded: str) -> str:
    """Sets out the standing rows of a page, as `summary` reads them."""
    orders = f"orders anti join {superseded} using (shop, order_id, seq)"
    return _view("standing_orders", f"{orders} where {page} and shop = {_quoted(shop)}") + _lines(
        shop, page
    )


def _lines(shop: str, page: str) -> str:
    return _view("standing_order_lines", f"order_lines where {page} and shop = {_quoted(shop)}")


# ----------------------------------------------------------------------------------- staged tables


def _view(name: str, rows: str) -> str:
    return f"create or replace temp view {name} as from {rows};"


def _staged(
    connection: DuckDBPyConnection,
    kind: str,
    query: Callable[[], str],
    key: Sequence[object] = (),
    passes: Sequence[str] = ("",),
) -> str:
    """The table with what the query gives in all passes, which are made where it isn't there.

    A pass is statements that set out the rows which the query reads then.
    """
    name = f"{kind}_{_digest(connection, key)}"
    if name not in _there(connection, kind):
        sql = query()
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


def _digest(connection: DuckDBPyConnection, key: Sequence[object]) -> str:
    """Of what was asked, and of how far the log has come."""
    whole = (*_come(connection, *KEYS), *key)
    return hashlib.blake2b(repr(whole).encode(), digest_size=8).hexdigest()


def _come(connection: DuckDBPyConnection, *names: str) -> list[tuple[int, int | None]]:
    """How far tables have come: what is added has a greater `seq`, and what leaves is missed."""
    sql = " union all ".join(f"select count(*), max(seq) from {name}" for name in names)
    return connection.execute(sql).fetchall()


def _quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
