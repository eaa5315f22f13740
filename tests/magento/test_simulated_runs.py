"""A thousand shops that live on while they are pulled: nothing is missed after the next run.

No sockets: the shop answers in place of the HTTP door, so that a thousand runs take seconds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from threading import RLock
from typing import Any

import pytest

from connectors.config import ShopSettings
from connectors.errors import ShopUnavailable
from connectors.http import Answer, AnswerRefused
from connectors.identity import EmailHasher
from connectors.magento import MagentoShop, ranges
from connectors.platform import Cursor

from .conftest import NOW, exported, found, recorded, slim

HASHER = EmailHasher(b"k" * 32)
PAGE = 7  # rows that the shop serves at once, whatever it is asked for
LATEST_COMMIT = timedelta(minutes=12)  # the overlap of 15 minutes covers no later one
(SIMPLE,) = [slim(row) for row in recorded("orders.json")["items"] if row["entity_id"] == 2]
MEMO = {
    **{k: v for k, v in recorded("creditmemos.json")["items"][0].items() if k.startswith("base_")},
    "created_at": "2026-11-01 00:00:00",
}


class LivingShop:
    """Orders are placed, changed and committed late, between any two requests."""

    def __init__(self, seed: int, *, module: bool = False) -> None:
        self.chance = random.Random(seed)  # noqa: S311  # no secret
        self.module = module
        self.now = NOW - timedelta(days=1)
        self.orders: list[dict[str, Any]] = []
        self.memos: list[dict[str, Any]] = []
        self.late: list[dict[str, Any]] = []  # written, not yet committed: nobody sees them
        self.highest = 0
        self.resting = False
        self.lock = RLock()
        for _ in range(self.chance.randint(0, 45)):
            self.place(self.stamp(timedelta(days=self.chance.randint(2, 90))))

    def stamp(self, ago: timedelta = timedelta(0)) -> str:
        return (self.now - ago).strftime("%Y-%m-%d %H:%M:%S")

    def place(self, moment: str) -> dict[str, Any]:
        self.highest += self.chance.choice([1, 1, 1, 40])
        row = {**SIMPLE, "entity_id": self.highest, "created_at": moment, "updated_at": moment}
        self.orders.append(row | {"increment_id": str(self.highest)})
        return self.orders[-1]

    def live(self) -> None:
        """What happens between two requests."""
        self.now += timedelta(seconds=self.chance.randint(1, 60))
        for row in [row for row in self.late if self.is_due(row)]:
            self.late.remove(row)
            self.orders.append(row)
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            row = self.place(self.stamp())
            if self.chance.random() < 0.3:
                self.late.append(self.orders.pop())
        for row in self.chance.sample(self.orders, min(2, len(self.orders))):
            row["updated_at"], row["coupon_code"] = self.stamp(), f"V{self.chance.random()}"
        if self.orders and self.chance.random() < 0.2:
            of = self.chance.choice(self.orders)["entity_id"]
            row = {**MEMO, "entity_id": len(self.memos) + 1, "order_id": of}
            self.memos.append(row | {"updated_at": self.stamp()})

    def is_due(self, row: dict[str, Any]) -> bool:
        return row["updated_at"] < self.stamp(LATEST_COMMIT) or self.chance.random() < 0.1

    def get(
        self, path: str, *, params: Sequence[tuple[str, str]] = (), attempts: int | None = None
    ) -> Answer:
        with self.lock:
            if not self.resting:
                self.live()
            return Answer(200, {}, self.answer(path.removeprefix("/rest/all/V1/"), dict(params)))

    def answer(self, path: str, query: dict[str, str]) -> Any:
        if path == "store/storeViews":
            return recorded("store_views.json")
        if path.startswith("clv/") and not self.module:
            raise AnswerRefused("no route", status=404, data={})
        if path == "clv/module":
            return {"email_key_fingerprint": "", "max_limit": PAGE}
        rows = [dict(row) for row in (self.orders if path.endswith("orders") else self.memos)]
        if path.startswith("clv/"):
            return exported(rows, query)
        page = found(rows, query)
        return {**page, "items": page["items"][:PAGE]}


class Ours:
    """What we know of the shop after our runs; the cursor and the rows of a page come as one."""

    def __init__(self, http: Any) -> None:
        settings = ShopSettings("eu", "magento", "https://shop.example", token="t", workers=3)
        self.shop = MagentoShop(settings, HASHER, http)
        self.cursor: Cursor | None = None
        self.orders: dict[str, str | None] = {}
        self.refunds: set[str] = set()

    def run(self, theirs: LivingShop, pages: int | None = None) -> None:
        """A run; killed after so many pages."""
        for number, page in enumerate(self.pages(theirs)):
            self.orders |= {one.order_id: one.coupon for one in page.orders}
            self.refunds |= {one.refund_id for one in page.refunds}
            self.cursor = page.cursor
            assert not page.rejects
            if number == pages:
                return

    def pages(self, theirs: LivingShop) -> Iterator[Any]:
        return self.shop.pull_orders(self.cursor, theirs.now)


def lived(seed: int) -> tuple[LivingShop, Ours]:
    """A shop that lived through some runs, one of them killed, then came to rest and was pulled."""
    theirs = LivingShop(seed, module=seed % 3 == 0)
    ours = Ours(theirs)
    for _ in range(theirs.chance.randint(1, 3)):
        killed = theirs.chance.randint(0, 6) if theirs.chance.random() < 0.4 else None
        ours.run(theirs, killed)
        theirs.now += timedelta(minutes=theirs.chance.randint(0, 90))
    theirs.orders += theirs.late
    theirs.late = []
    theirs.now += timedelta(minutes=5)
    theirs.resting = True
    while ours.cursor is None or ours.cursor["phase"] != "done":
        ours.run(theirs)
    ours.run(theirs)
    return theirs, ours


#: A hundred lives each; `make thorough` runs all of them.
BLOCKS = [0, *(pytest.param(block, marks=pytest.mark.thorough) for block in range(1, 10))]


@pytest.mark.parametrize("block", BLOCKS)
def test_nothing_is_missed_in_a_thousand_lives(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    for seed in range(100 * block, 100 * block + 100):
        theirs, ours = lived(seed)
        expected = {str(row["entity_id"]): row.get("coupon_code") for row in theirs.orders}
        assert ours.orders == expected, seed
        assert ours.refunds == {str(row["entity_id"]) for row in theirs.memos}, seed


def test_five_hundred_orders_of_one_second_all_come() -> None:
    theirs = LivingShop(1)
    ours = Ours(theirs)
    theirs.resting = True
    ours.run(theirs)
    moment = theirs.stamp()
    for _ in range(500):
        theirs.place(moment)["coupon_code"] = "SAME-SECOND"
    theirs.now += timedelta(minutes=10)
    ours.run(theirs)
    assert sum(coupon == "SAME-SECOND" for coupon in ours.orders.values()) == 500


def test_a_door_that_fails_at_any_moment_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    for seed in range(50):
        theirs = LivingShop(seed)
        ours = Ours(Flaky(theirs))
        theirs.resting = True
        for _ in range(40):
            try:
                ours.run(theirs)
            except ShopUnavailable:
                continue
        assert ours.orders.keys() == {str(row["entity_id"]) for row in theirs.orders}


class Flaky:
    """A door behind which every tenth request finds nobody."""

    def __init__(self, theirs: LivingShop) -> None:
        self.theirs = theirs

    def get(self, path: str, **asked: Any) -> Answer:
        if self.theirs.chance.random() < 0.1:
            raise ShopUnavailable("the shop can't be reached", status=None)
        return self.theirs.get(path, **asked)
