"""Dated exchange rates, as the owner gives them: what one unit of a currency was worth in another.

A CSV file `currency,from,rate` says from which day on a rate holds, until the next one of the same
currency. Amounts are converted at the day of the order, refunds too, and rounded to four decimals
so that parts still add up, and nothing is left of what was refunded as a whole.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from connectors.errors import ConfigurationError
from connectors.schema import Order, OrderLine, Refund

COLUMNS = ("currency", "from", "rate")
LAST_DIGIT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates into `currency`: for each other one the days from which they hold, ascending.

    `setting` is the variable that names their file, for whoever has to mend it.
    """

    currency: str
    dated: Mapping[str, Sequence[tuple[date, Decimal]]]
    setting: str = "CLV_<SHOP>_RATES"

    def rate(self, currency: str, day: date) -> Decimal:
        """What one unit was worth on that day. ConfigurationError where the owner hasn't said."""
        if currency == self.currency:
            return Decimal(1)
        dated = self.dated.get(currency, ())
        place = bisect_right(dated, day, key=lambda one: one[0])
        if not place:
            raise ConfigurationError(
                f"no rate says what one {currency} was worth in {self.currency} on {day}",
                mend=f"Add a line to the file that {self.setting} names.",
            )
        return dated[place - 1][1]

    def order(self, order: Order) -> Order:
        """The order in `currency`, at the rate of its day."""
        if order.currency == self.currency:
            return order
        rate = self.rate(order.currency, order.ordered_at.date())
        net = order.goods_value - order.discount_value
        net_then = _converted(net, rate)
        discount = _converted(order.discount_value, rate)
        shipping = _converted(order.shipping_value, rate)
        tax = _converted(order.tax_value, rate)
        total = net_then + shipping + tax
        return replace(
            order,
            currency=self.currency,
            goods_value=net_then + discount,
            discount_value=discount,
            tax_value=tax,
            shipping_value=shipping,
            total_value=total,
            refunded_value=_returned(order.refunded_value, net, net_then, rate),
            refunded_shipping=_returned(
                order.refunded_shipping, order.shipping_value, shipping, rate
            ),
            refunded_total=_returned(order.refunded_total, order.total_value, total, rate),
        )

    def lines(self, order: Order, lines: Iterable[OrderLine]) -> Iterator[OrderLine]:
        """The lines of an order (as it was before), which add up to what they did.

        What rounding leaves over goes from each line to the next.
        """
        rate = self.rate(order.currency, order.ordered_at.date())
        whole = Decimal(0)
        for line in lines:
            before, whole = whole, whole + line.net_value
            yield (
                line
                if rate == 1
                else replace(
                    line,
                    net_value=_converted(whole, rate) - _converted(before, rate),
                    unit_cost=None if line.unit_cost is None else _converted(line.unit_cost, rate),
                )
            )

    def refund(self, refund: Refund, ordered_on: date) -> Refund:
        """The refund in `currency`, at the rate of the day of its order."""
        if refund.currency == self.currency:
            return refund
        rate = self.rate(refund.currency, ordered_on)
        return replace(
            refund,
            currency=self.currency,
            refunded_value=_converted(refund.refunded_value, rate),
            refunded_shipping=_converted(refund.refunded_shipping, rate),
            refunded_tax=_converted(refund.refunded_tax, rate),
            refunded_total=_converted(refund.refunded_total, rate),
        )


def _converted(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(LAST_DIGIT)


def _returned(part: Decimal, whole: Decimal, whole_then: Decimal, rate: Decimal) -> Decimal:
    """What went back: all of it where all of it did, whatever the rounding."""
    return whole_then if part == whole else _converted(part, rate)


def read_rates(path: Path, currency: str, setting: str) -> Rates:
    """The rates in a file. ConfigurationError names the line that can't be read."""
    dated: dict[str, dict[date, Decimal]] = defaultdict(dict)
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            if not set(COLUMNS) <= set(rows.fieldnames or ()):
                raise _unreadable(setting, "it has no columns currency, from and rate")
            for row in rows:
                code, day, rate = _read(row, rows.line_num, setting)
                dated[code][day] = rate
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(setting, type(error).__name__) from None
    return Rates(currency, {code: sorted(days.items()) for code, days in dated.items()}, setting)


def _read(
    row: Mapping[str | Any, str | None], line: int, setting: str
) -> tuple[str, date, Decimal]:
    code, day, rate = ((row[name] or "").strip() for name in COLUMNS)
    try:
        found = code, date.fromisoformat(day), Decimal(rate)
        whole = None not in row  # a decimal comma makes a cell too many
        if whole and len(code) == 3 and code.isupper() and Decimal(0) < found[2] < Decimal(10**6):
            return found
    except (ValueError, InvalidOperation):
        pass
    raise _unreadable(setting, f"line {line} is no line like USD,2026-01-31,0.9213")


def _unreadable(setting: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the rates can't be read: {why}", mend=f"Mend the file that {setting} names."
    )
