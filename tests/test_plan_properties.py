"""For any shop and any scores: applied, there is nothing left to plan; undone, all is as before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import NOW

from connectors.kept import keep
from connectors.plan import Plan, draw, read_plan, with_groups, write_plan
from connectors.pull import Watch
from connectors.schema import FIELDS, GROUP, LEFT_ALONE, TAG, Change, Outcome, Shown, normal
from connectors.store import Store
from connectors.store.scratch import Scratch
from connectors.writeback import undoing, write

SHOWS = (*FIELDS, TAG, GROUP)
GROUPS = {"high": "5", "low": "6"}

money = st.decimals("-99999", "99999999", places=2, allow_nan=False).map(str)
dates = st.dates().map(str)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
VALUES = {"money": money, "number": st.decimals(0, 1, places=4).map(str), "date": dates}


def value(field: str) -> st.SearchStrategy[str]:
    if field in ("tier", "previous_tier"):
        return st.sampled_from(["high", "medium", "low", "new"])
    wild = VALUES.get(FIELDS[field], texts).map(lambda text: normal(field, text))
    return wild.filter(bool)  # an empty text isn't shown


fields = {field: value(field) for field in FIELDS}
scores = st.fixed_dictionaries(
    {"tier": fields["tier"]},
    optional={name: fields[name] for name in FIELDS if name not in ("tier", "previous_tier")},
)
tags = st.sets(st.sampled_from(["clv-high", "clv-low", "clv-new"]), min_size=1).map(
    lambda some: ",".join(sorted(some))
)
today = st.fixed_dictionaries(
    {},
    optional=fields
    | {TAG: tags, GROUP: st.sampled_from(["1", "5", "6"]), LEFT_ALONE: st.just("a tag")},
)
customers = st.integers(1, 12).map(str)
shops = st.dictionaries(customers, today, max_size=12)
scored = st.dictionaries(customers, scores, max_size=12)


@dataclass
class Shop:
    """A shop in memory that keeps what platforms promise; it refuses some, if it is told to."""

    shown: dict[str, Shown]
    refuses: frozenset[str] = frozenset()
    shop: str = "eu"
    shows: Sequence[str] = SHOWS
    batch_size: int = 5

    def push(self, changes: Sequence[Change]) -> Iterator[Outcome]:
        for change in changes:
            yield self._pushed(change, self.shown[change.customer_id])

    def _pushed(self, change: Change, found: Shown) -> Outcome:
        who = change.customer_id
        if found == change.after:
            return Outcome(who, "applied", found)
        if change.edited(found):
            return Outcome(who, "conflict", found)
        if who in self.refuses:
            return Outcome(who, "rejected", found, "no")
        self.shown[who] = change.after
        return Outcome(who, "applied", change.after)


def planned(shop: Shop, wanted: Mapping[str, Shown], tolerance: str = "0") -> list[Change]:
    with_group = with_groups(wanted, shop.shown, GROUPS)
    return draw("eu", shop.shown, with_group, SHOWS, Decimal(tolerance))[0]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("kept") / "s.duckdb", now=NOW) as store:
        yield store


def applied(shop: Shop, store: Store, changes: Sequence[Change]) -> str:
    run_id = store.start_run("apply", ["eu"], NOW)
    write(shop, store, run_id, changes, Watch())
    return run_id


@settings(max_examples=150, deadline=None)
@given(shops, scored, st.sampled_from(["0", "0.02", "1"]))
def test_what_is_applied_leaves_nothing_to_plan(
    shown: dict[str, Shown], wanted: dict[str, Shown], tolerance: str
) -> None:
    shop = Shop(dict(shown))
    changes = planned(shop, wanted, tolerance)
    for change in changes:
        (outcome,) = shop.push([change])
        assert outcome.status == "applied"
    assert planned(shop, wanted, tolerance) == []


@settings(max_examples=150, deadline=None)
@given(shops, scored)
def test_a_plan_kept_in_a_file_is_the_plan(
    shown: dict[str, Shown], wanted: dict[str, Shown]
) -> None:
    kept = Plan("now", {"eu": "here"}, {}, {}, keep(Scratch(), planned(Shop(shown), wanted)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.plan"
        write_plan(kept, path)
        assert read_plan(path) == kept


@settings(max_examples=40, deadline=None)
@given(shops, scored, st.frozensets(customers, max_size=4))
def test_applied_and_undone_every_customer_is_as_before(
    store: Store, shown: dict[str, Shown], wanted: dict[str, Shown], refuses: frozenset[str]
) -> None:
    shop = Shop(dict(shown), refuses)
    if changes := planned(shop, wanted):
        run_id = applied(shop, store, changes)
        applied(shop, store, list(undoing(store, run_id)))
    assert shop.shown == shown


@settings(max_examples=40, deadline=None)
@given(shops, st.lists(scored, min_size=2, max_size=4))
def test_several_runs_undone_from_the_last_on_leave_the_shop_as_it_was(
    store: Store, shown: dict[str, Shown], several: list[dict[str, Shown]]
) -> None:
    shop = Shop(dict(shown))
    plans = (planned(shop, wanted) for wanted in several)
    runs = [applied(shop, store, changes) for changes in plans if changes]
    for run_id in reversed(runs):
        applied(shop, store, list(undoing(store, run_id)))
    assert shop.shown == shown


@settings(max_examples=150, deadline=None)
@given(shops, scored, st.data())
def test_one_changed_byte_of_a_plan_file_is_refused(
    shown: dict[str, Shown], wanted: dict[str, Shown], data: st.DataObject
) -> None:
    from connectors.errors import ConfigurationError, StalePlan

    kept = Plan("now", {"eu": "here"}, {}, {}, keep(Scratch(), planned(Shop(shown), wanted)))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.plan"
        write_plan(kept, path)
        whole = path.read_bytes()
        place = data.draw(st.integers(0, len(whole) - 2))
        byte = data.draw(st.integers(0, 255).filter(lambda other: other != whole[place]))
        path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
        try:
            read = read_plan(path)
        except (ConfigurationError, StalePlan):
            return
        assert read == kept  # a change that changes nothing, like another blank in the header
