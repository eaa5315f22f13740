"""Who is erased leaves no byte behind, comes back by no pull, and costs the totals no cent."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import warehouses
from made_rows import NOW, customer, guest, line, order, page, refund

from connectors import export, privacy
from connectors.errors import ConfigurationError
from connectors.identity import EmailHasher
from connectors.platform import Page, Reject
from connectors.schema import Change, Outcome
from connectors.store import Store, erasure

HASHER = EmailHasher(b"a key of sixteen bytes or more")
EMAIL = "jane.canary@example.com"
KEY = str(HASHER.person_key(EMAIL, "1"))
HER = "700700700"
HIM = "800800800"
PAGE = page(
    order(
        "1",
        customer_id=HER,
        person_key=HER,
        order_number="NUMBER-CANARY-1",
        coupon="JANE-CANARY",
        country="COUNTRY-CANARY",
    ),
    line("1"),
    guest("2", KEY, order_number="NUMBER-CANARY-2"),
    order("3", customer_id=HIM, person_key=HIM),
    line("3"),
    refund("5"),
)
CUSTOMERS = page(customer(HER, email_key=KEY), customer(HIM))
#: All that could tell her: id, keyed hash, order numbers, a coupon made for her, where, a reason.
CANARIES = (HER, KEY, "NUMBER-CANARY", "JANE-CANARY", "COUNTRY-CANARY", "REASON-CANARY")


@pytest.fixture(params=warehouses.FILES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Of each kind of store: what leaves one leaves the other."""
    return tmp_path / "kept" / str(request.param)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with opened(path) as store:
        yield store


def opened(path: Path) -> Any:
    return warehouses.opened(path, hasher=HASHER)


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a filled store of each kind, to be copied."""

    @cache
    def made(name: str) -> Path:
        path = tmp_path_factory.mktemp("full") / "kept" / name
        with opened(path) as store:
            fill(store)
        return path.parent

    return made


@pytest.fixture
def filled(path: Path, full: Callable[[str], Path]) -> None:
    """The store is filled before the test opens it."""
    shutil.copytree(full(path.name), path.parent)


def fill(store: Store) -> None:
    """She stands in every table: shop, scores, journal, quarantine, cursors."""
    store.commit("eu", "customers", replace(CUSTOMERS, cursor={"after": int(HER)}), at=NOW)
    store.commit("eu", "orders", PAGE, at=NOW)
    for column in ({"person_key": [HER, HIM]}, {"person_key": [KEY, HIM]}):
        told = {
            "shop": ["eu", "eu"],
            "customer_id": [HER, HIM],
            "tier": ["high", "low"],
            "reason": ["REASON-CANARY", "because"],
        }
        store.save_scores("run-1", [pa.table(told | column)])
    changes = [Change("eu", one, {}, {"tier": "high"}) for one in (HER, HIM)]
    store.journal_intent("run-1", changes)
    outcomes = [Outcome(HER, "applied", {}, "REASON-CANARY"), Outcome(HIM, "applied", {})]
    store.journal_outcome("run-1", "eu", outcomes)
    rejects = [
        Reject("eu", "customers", HER, "email", "REASON-CANARY"),
        Reject("eu", "orders", "2", "total", "REASON-CANARY"),
    ]
    store.commit("eu", "customers", Page({"after": int(HER)}, rejects=rejects), at=NOW)


def erase(store: Store, *named: str, **more: Any) -> privacy.Erased:
    return privacy.erase_customer(store, HASHER, "eu", *named, at=NOW, **more)


def traces(folder: Path) -> dict[str, list[str]]:
    """Which canaries lie in which file below a folder."""
    found = {
        str(file.relative_to(folder)): [c for c in CANARIES if c.encode() in file.read_bytes()]
        for file in folder.rglob("*")
        if file.is_file()
    }
    return {name: canaries for name, canaries in found.items() if canaries}


def months(store: Store) -> tuple[int, Decimal, Decimal]:
    rows = store.months("eu", NOW - timedelta(days=400), NOW)
    return sum(r.orders for r in rows), sum(r.total for r in rows), sum(r.net for r in rows)  # type: ignore[return-value]


# ------------------------------------------------------------------------------------- no byte left


@pytest.mark.parametrize("named", [HER, EMAIL, KEY, EMAIL.upper()])
@pytest.mark.usefixtures("filled")
def test_no_byte_of_the_person_is_left_in_the_folder_of_the_store(path: Path, named: str) -> None:
    assert traces(path.parent)  # else this test could not fail
    with opened(path) as store:
        erase(store, named)
    assert traces(path.parent) == {}


def test_what_was_superseded_before_the_erasure_leaves_as_well(path: Path) -> None:
    later = {"updated_at": NOW, "customer_id": HER, "person_key": HER}
    with opened(path) as store:
        fill(store)
        store.commit(
            "eu", "orders", page(order("1", order_number="NUMBER-CANARY-9", **later)), at=NOW
        )
        store.commit("eu", "customers", page(customer(HER, updated_at=NOW, email_key="x")), at=NOW)
    with opened(path) as store:
        erase(store, HER)
    assert traces(path.parent) == {}


@pytest.mark.usefixtures("filled")
def test_an_order_that_moved_to_somebody_else_keeps_no_memory_of_her(path: Path) -> None:
    with opened(path) as store:
        moved = order("1", customer_id=HIM, person_key=HIM, updated_at=NOW)
        store.commit("eu", "orders", page(moved), at=NOW)
        erase(store, HER)
    with opened(path) as store:
        orders = store.orders_of("eu", HIM)
    assert len(orders) == 2
    assert traces(path.parent) == {}


@pytest.mark.usefixtures("filled")
def test_nobody_else_loses_anything(store: Store) -> None:
    erase(store, HER)
    assert len(store.orders_of("eu", HIM)) == 1
    scores = "select count(*) from scores where person_key = ?"
    assert store.connection.execute(scores, [HIM]).fetchall() == [(2,)]
    assert [row.change.customer_id for row in store.journal("run-1")] == [HIM]
    assert store.counts("eu") == {"orders": 3, "order_lines": 2, "refunds": 1, "customers": 1}


def test_an_address_that_is_somebody_elses_by_now_stays_theirs(store: Store) -> None:
    store.commit("eu", "customers", page(customer(HER, email_key=KEY)), at=NOW)
    swapped = [
        customer(HER, email_key="guest-new", updated_at=NOW),
        customer(HIM, email_key=KEY, updated_at=NOW),
    ]
    store.commit("eu", "customers", page(*swapped), at=NOW)
    erase(store, HER)
    assert store.counts("eu")["customers"] == 1
    assert store.persons("eu", [KEY]) == [HIM]


@pytest.mark.usefixtures("filled")
def test_the_file_that_takes_the_place_goes_on_where_the_old_one_was(path: Path) -> None:
    with opened(path) as store:
        first = store.start_run("erase", ["eu"], NOW)
        erase(store, HER)
        content = store.content_hash()
    with opened(path) as store:
        assert store.content_hash() == content
        assert store.start_run("run", ["eu"], NOW) > first
        assert store.commit("eu", "orders", page(order("9")), at=NOW) == 1


def test_a_rewriting_that_died_is_made_up_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def died(*_: object) -> None:
        raise KeyboardInterrupt

    with (  # noqa: PT012
        monkeypatch.context() as patched,
        pytest.raises(KeyboardInterrupt),
        opened(path) as store,
    ):
        fill(store)
        erase(store, HER)
        patched.setattr(Path, "replace", died)
    assert path.name in traces(path.parent)
    with opened(path) as store:
        assert len(store.orders_of("eu", HIM)) == 1
    assert traces(path.parent) == {}


@pytest.mark.usefixtures("filled")
def test_what_a_dead_run_left_beside_the_store_goes_too(path: Path) -> None:
    with opened(path) as store:
        spilled = path.with_name(f"{path.name}.tmp") / "duckdb_temp_storage-0.tmp"
        erase(store, HER)
        spilled.parent.mkdir(exist_ok=True)
        spilled.write_text(HER)
    assert not spilled.exists()


def test_all_files_are_the_owners_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(path) as store:
            fill(store)
            erase(store, HER)
        files = [file for file in path.parent.rglob("*") if file.is_file()]
        assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
        assert path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


# --------------------------------------------------------------------------------------- stays away


@pytest.mark.usefixtures("filled")
def test_a_pull_of_everything_does_not_bring_her_back(path: Path) -> None:
    with opened(path) as store:
        erase(store, HER)
        store.forget_cursor("eu", "orders")
    with opened(path) as store:
        store.commit("eu", "customers", CUSTOMERS, at=NOW)
        assert store.commit("eu", "orders", PAGE, at=NOW) == 0
    assert traces(path.parent) == {}


@pytest.mark.usefixtures("filled")
def test_the_totals_of_the_months_stay_the_shops_own(store: Store) -> None:
    before = months(store)
    erase(store, HER)
    assert months(store)[:2] == before[:2]
    assert months(store)[2] < before[2]  # what is nobody's is in no score


@pytest.mark.usefixtures("filled")
def test_her_orders_go_on_changing_as_nobodys(store: Store) -> None:
    erase(store, HER)
    cancelled = order("1", customer_id=HER, person_key=HER, state="cancelled", updated_at=NOW)
    assert store.commit("eu", "orders", page(cancelled, line("1")), at=NOW) == 1
    assert months(store)[0] == 3


@pytest.mark.usefixtures("filled")
def test_what_she_shows_is_not_planned_for(store: Store) -> None:
    erase(store, HER)
    shown = replace(CUSTOMERS, shown={HER: {"tier": "high"}, HIM: {}})
    assert store.without_erased("eu", shown).shown == {HIM: {}}


@pytest.mark.usefixtures("filled")
def test_the_same_address_under_a_new_id_stays_out_too(path: Path) -> None:
    with opened(path) as store:
        erase(store, EMAIL)
    new = "900900900"
    with opened(path) as store:  # a webhook's order may come before the customer does
        later = order("8", customer_id=new, person_key=new)
        store.commit("eu", "orders", page(later), at=NOW)
        store.commit("eu", "customers", page(customer(new, email_key=KEY)), at=NOW)
        assert store.orders_of("eu", new).empty
        again = order("9", customer_id=new, person_key=new)
        store.commit("eu", "orders", page(again), at=NOW)
        assert store.orders_of("eu", new).empty
        assert store.counts("eu")["customers"] == 1


@pytest.mark.usefixtures("filled")
def test_an_erased_id_with_a_new_address_keeps_that_address_out_too(store: Store) -> None:
    erase(store, HER)
    later = customer(HER, email_key="guest-later", updated_at=NOW)
    store.commit("eu", "customers", page(later), at=NOW)
    store.commit("eu", "orders", page(guest("9", "guest-later")), at=NOW)
    assert store.orders_of("eu", "guest-later").empty
    count = len(erasure.erasures(store.connection))
    store.commit("eu", "customers", page(later), at=NOW)
    assert len(erasure.erasures(store.connection)) == count


@pytest.mark.usefixtures("filled")
def test_an_order_that_was_erased_stays_nobodys_whoever_it_is_given_to(store: Store) -> None:
    erase(store, HER)
    given = order("1", customer_id=HIM, person_key=HIM, updated_at=NOW)
    store.commit("eu", "orders", page(given), at=NOW)
    assert len(store.orders_of("eu", HIM)) == 1


def test_somebody_unknown_yet_is_kept_out(store: Store) -> None:
    erase(store, HER, EMAIL)
    fill(store)
    assert store.orders_of("eu", HER).empty
    assert store.counts("eu")["customers"] == 1


def test_orders_that_the_shop_names_are_hers_too(store: Store) -> None:
    store.commit("eu", "orders", page(guest("4", "guest-of-a-phone")), at=NOW)
    erase(store, HER, orders=["4"])
    assert store.orders_of("eu", "guest-of-a-phone").empty
    store.commit("eu", "orders", page(guest("4", "guest-of-a-phone", coupon="X")), at=NOW)
    assert store.orders_of("eu", "guest-of-a-phone").empty


@pytest.mark.usefixtures("filled")
def test_a_tombstone_tells_nobody_apart_without_the_key(store: Store) -> None:
    erased = erase(store, HER)
    assert len(erased.audit.tombstones) == 4  # id, e-mail, two orders
    other = EmailHasher(b"another key of sixteen bytes")
    assert other.tombstone("eu", "customer", HER) not in erased.audit.tombstones


@pytest.mark.usefixtures("filled")
def test_a_plan_made_before_is_stale(store: Store) -> None:
    before = store.standing("eu")
    erase(store, HIM)
    assert store.standing("eu") != before


@pytest.mark.parametrize(("named", "again"), [(HER, EMAIL), (EMAIL, HER), (EMAIL, EMAIL)])
@pytest.mark.usefixtures("filled")
def test_who_is_readmitted_comes_in_again_whichever_name_is_given(
    store: Store, named: str, again: str
) -> None:
    erase(store, named)
    assert store.orders_of("eu", HER).empty
    assert privacy.readmit(store, HASHER, "eu", again) > 0
    store.commit("eu", "customers", CUSTOMERS, at=NOW)
    store.commit("eu", "orders", PAGE, at=NOW)
    assert len(store.orders_of("eu", HER)) == 2


# ------------------------------------------------------------------------------------- a whole shop


@pytest.mark.usefixtures("filled")
def test_an_erased_shop_leaves_no_byte_and_takes_nothing_in(path: Path) -> None:
    with opened(path) as store:
        store.commit("us", "orders", page(order("1", shop="us")), at=NOW)
        privacy.erase_shop(store, HASHER, "eu", at=NOW)
    assert traces(path.parent) == {}
    with opened(path) as store:
        assert store.counts("eu") == dict.fromkeys(store.counts("eu"), 0)
        assert store.counts("us")["orders"] == 1
        with pytest.raises(ConfigurationError, match="all of eu was erased"):
            store.commit("eu", "orders", PAGE, at=NOW)


@pytest.mark.usefixtures("filled")
def test_an_erased_shop_that_is_readmitted_keeps_its_people_out(store: Store) -> None:
    erase(store, HER)
    privacy.erase_shop(store, HASHER, "eu", at=NOW)
    assert privacy.readmit(store, HASHER, "eu") == 1
    fill(store)
    assert store.orders_of("eu", HER).empty
    assert len(store.orders_of("eu", HIM)) == 1


def test_every_table_that_names_a_shop_is_emptied_of_it(store: Store) -> None:
    from connectors.store.erasure import OF_A_SHOP

    named = store.connection.execute(
        "select table_name from duckdb_columns() where column_name = 'shop'"
        " and table_name in (select table_name from duckdb_tables()"
        " where database_name = current_database())"
    ).fetchall()
    assert {name for (name,) in named} == {*OF_A_SHOP, "tombstones", "erasures"}


# --------------------------------------------------------------------------------------- made files


@pytest.mark.parametrize("format", ["csv", "parquet"])
@pytest.mark.parametrize("what", ["orders", "customers", "scores"])
def test_her_rows_leave_the_exports(path: Path, what: str, format: export.Format) -> None:
    out = path.parent / f"out.{format}"
    with opened(path) as store:
        fill(store)
        export.export(store.reader(what, shops=["eu"], as_of=NOW.date()), out, format)
        store.note_file(out, "export", NOW)
        rows = _rows(out, format)
        erased = erase(store, HER)
    assert erased.files == {out: "rewritten"}
    assert traces(path.parent) == {}
    assert out.stat().st_mode & 0o777 == 0o600
    assert 0 < _rows(out, format) < rows


def _rows(path: Path, format: str) -> int:

    read = pa.csv.read_csv if format == "csv" else pa.parquet.read_table
    return int(read(path).num_rows)


@pytest.mark.usefixtures("filled")
def test_plans_and_other_files_are_deleted_and_an_export_without_her_is_left_alone(
    store: Store, tmp_path: Path
) -> None:
    plan, lines, gone = tmp_path / "monday.plan", tmp_path / "lines.csv", tmp_path / "gone.csv"
    plan.write_text(HER)
    reader = store.reader("order_lines", shops=["eu"], as_of=NOW.date())
    export.export(reader, lines, "csv")
    before = lines.stat().st_mtime_ns, lines.stat().st_ino
    for file, kind in ((plan, "plan"), (lines, "export"), (gone, "export")):
        store.note_file(file, kind, NOW)
    assert erase(store, HER).files == {plan: "deleted"}
    assert (lines.stat().st_mtime_ns, lines.stat().st_ino) == before
    assert [file for file, _ in store.files()] == [lines]


@pytest.mark.usefixtures("filled")
def test_a_file_that_cannot_be_cleaned_is_named(store: Store, tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text('shop,customer_id\neu\n"')
    store.note_file(broken, "export", NOW)
    told = erase(store, HER).files[broken]
    assert "look at it" in told
    assert broken.exists()


# ------------------------------------------------------------------------------------ what is known


@pytest.mark.usefixtures("filled")
def test_an_audit_line_says_when_where_and_how_much_but_not_who(store: Store) -> None:
    erased = erase(store, HER)
    assert erasure.erasures(store.connection) == [erased.audit]
    assert erased.audit.counts == {
        "orders": 2,
        "customers": 1,
        "scores": 2,
        "intents": 1,
        "outcomes": 1,
        "rejects": 2,
    }
    assert not [c for c in CANARIES if c in repr(erased.audit)]


@pytest.mark.usefixtures("filled")
def test_a_subject_export_holds_all_of_the_person_and_nothing_of_others(store: Store) -> None:
    told = privacy.subject_export(store, HASHER, "eu", EMAIL, at=NOW)
    text = json.dumps(told)
    assert all(canary in text for canary in CANARIES)
    assert HIM not in text
    counts = {name: len(rows) for name, rows in told["known"].items()}
    assert counts == {
        "customer": 1,
        "orders": 2,
        "order_lines": 1,
        "refunds": 1,
        "scores": 2,
        "written": 1,
        "outcomes": 1,
        "put_aside": 2,
    }


@pytest.mark.usefixtures("filled")
def test_after_an_erasure_a_subject_export_knows_only_that_it_was_done(store: Store) -> None:
    erase(store, HER)
    told = privacy.subject_export(store, HASHER, "eu", HER, at=NOW)
    assert privacy.known_rows(told) == 0
    assert told["erased"] == [NOW.isoformat()]
    assert date.fromisoformat(told["exported_at"][:10]) == NOW.date()
