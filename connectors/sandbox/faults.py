"""What can go wrong on the way, on order: a plan of faults, drawn for each request."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from random import Random
from typing import Any, Literal, get_args

from connectors.sandbox.books import Books, instant_text

Kind = Literal["status", "reset", "lost", "truncated", "cut", "slow", "drip", "churn", "late"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong.

    status     answers `status` (429, 503, ...) with `retry_after` seconds, as JSON or as `html`
    reset      the connection is reset, nothing was done
    lost       the request is carried out, then the connection is reset
    truncated  half of the answer, as if it were all of it
    cut        half of the answer, then the connection is gone
    slow       the answer comes after `seconds`
    drip       the answer comes in 20 pieces over `seconds`
    churn      an order is changed, and another one added, before the request is carried out
    late       before it is carried out an order comes in whose transaction began `seconds` ago: its
               times are that old, and its id lies below the newest

    It meets requests whose method and path (with its query) match the two patterns: the `nth` of
    them (counted from one), or each with `probability`; at most `times`, 0 for without end.
    """

    kind: Kind
    method: str = ".*"
    path: str = ".*"
    nth: int | None = None
    probability: float = 1.0
    times: int = 1
    status: int = 503
    retry_after: str | None = None
    html: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"{self.kind} is no kind of fault: {', '.join(get_args(Kind))}")

    def matches(self, method: str, path: str) -> bool:
        return bool(re.fullmatch(self.method, method) and re.search(self.path, path))


def fault_of(given: Mapping[str, Any]) -> Fault:
    """A fault from JSON. Raises ValueError for what it doesn't know."""
    unknown = set(given) - {field.name for field in fields(Fault)}
    if unknown:
        raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
    return Fault(**given)


class FaultPlan:
    """The faults to come, with their own dice: the same seed and requests, the same faults."""

    def __init__(self, faults: Iterable[Fault] = (), seed: int = 1) -> None:
        self._lock = threading.Lock()
        self.set(faults, seed)

    def set(self, faults: Iterable[Fault], seed: int = 1) -> None:
        """Replace the plan; an empty one lets everything go well."""
        with self._lock:
            self._faults = list(faults)
            self._seen = [0] * len(self._faults)
            self._met = [0] * len(self._faults)
            self._rng = Random(seed)  # noqa: S311  dice, not secrets

    @property
    def rng(self) -> Random:
        return self._rng

    def draw(self, method: str, path: str) -> Fault | None:
        """The first fault of the plan that meets this request."""
        with self._lock:
            for n, fault in enumerate(self._faults):
                if fault.matches(method, path) and self._meets(n, fault):
                    self._met[n] += 1
                    return fault
        return None

    def _meets(self, n: int, fault: Fault) -> bool:
        self._seen[n] += 1
        if fault.times and self._met[n] >= fault.times:
            return False
        if fault.nth is not None:
            return self._seen[n] == fault.nth
        return self._rng.random() < fault.probability

    def report(self) -> list[dict[str, Any]]:
        """Every fault with how many requests matched it and how many it met."""
        with self._lock:
            return [
                {**asdict(fault), "seen": seen, "met": met}
                for fault, seen, met in zip(self._faults, self._seen, self._met, strict=True)
            ]


def churn(books: Books, shop: str, rng: Random) -> None:
    """What happens in a shop while somebody pages: one order is touched, a copy of it comes in.

    The copy is a new order, so the books' totals move with it.
    """
    with books.transaction():
        ids = [row["id"] for row in books.query("SELECT id FROM orders WHERE shop = ?", (shop,))]
        order = books.order(shop, rng.choice(ids))
        if order is None:
            return
        now = books.now()
        sql = "UPDATE orders SET updated_at = ? WHERE shop = ? AND id = ?"
        books.execute(sql, (now, shop, order["id"]))
        new = {"id": max(ids) + 1, "number": f"{order['number']}-{max(ids)}"}
        body = {**order["body"], "state": "paid", "refunded": _NOTHING_BACK}
        fresh = {**order, **new, "created_at": now, "updated_at": now, "body": body}
        books.insert("orders", [fresh])


def late(books: Books, shop: str, seconds: float, rng: Random) -> None:
    """A transaction that began a while ago commits now: its id and times were set back then.

    https://github.com/magento/magento2/issues/40803
    """
    with books.transaction():
        taken = {row["id"] for row in books.query("SELECT id FROM orders WHERE shop = ?", (shop,))}
        order = books.order(shop, rng.choice(sorted(taken)))
        if order is None:
            return
        own = next(n for n in range(max(taken), 0, -1) if n not in taken)
        began = instant_text(books.clock() - timedelta(seconds=seconds))
        body = {**order["body"], "state": "paid", "refunded": _NOTHING_BACK}
        fresh = {**order, "id": own, "number": f"{order['number']}-{own}", "body": body}
        books.insert("orders", [{**fresh, "created_at": began, "updated_at": began}])


_NOTHING_BACK = dict.fromkeys(
    ("goods", "discount", "tax", "shipping", "adjustment", "total"), "0.00"
)
