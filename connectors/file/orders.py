"""A row of a file becomes an order, or a complaint that names the column."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from connectors.config import ShopSettings
from connectors.errors import PayloadError
from connectors.file.currencies import CURRENCIES
from connectors.schema import NO_CURRENCY, Order, OrderLine, country_of

ABSURD = Decimal(10) ** 12
PLACES = 4
ZERO = Decimal(0)
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)

#: Digits and a point, as `1234.50` or `1e3`; no thousands, no decimal comma, no currency sign.
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)

Cells = Mapping[str, str]


def _wrong(column: str, told: str) -> PayloadError:
    return PayloadError(told, field=column)


class OrderReader:
    """Reads one file's rows in their order; it remembers the ids, so that none comes twice.

    A row without an order id gets one made from its content and a running number among equal
    rows, so that reading the file again, or a longer one, gives every row the same id. A row
    doesn't say when it was changed last: `read_at` stands in, the version of the file.
    """

    def __init__(self, settings: ShopSettings, now: datetime, read_at: datetime) -> None:
        self._shop = settings.shop
        self._currency = settings.currency or NO_CURRENCY
        self._latest = now + timedelta(days=1)
        self._read_at = read_at
        self.ids: set[str] = set()
        self._equals: Counter[bytes] = Counter()

    def order(self, cells: object) -> tuple[Order, OrderLine | None]:
        """The order of a row, with a line if the file tells a category or quantity.

        Raises PayloadError with the column that can't be read.
        """
        cells = _cells(cells)
        order_id = self._given_id(cells)
        customer_id, ordered_at = self.who_and_when(cells)
        value = _number("net_value", cells["net_value"])
        currency = self._currency_of(cells)
        quantity = _quantity(cells)
        country = _country(cells)
        order_id = order_id or self._made_id(customer_id, ordered_at, value)
        order = Order(
            shop=self._shop,
            order_id=order_id,
            order_number=order_id,
            customer_id=customer_id,
            person_key=customer_id,
            ordered_at=ordered_at,
            updated_at=self._read_at,
            state="complete",
            is_guest=False,
            is_test=False,
            currency=currency,
            goods_value=value,
            discount_value=ZERO,
            tax_value=ZERO,
            shipping_value=ZERO,
            total_value=value,
            refunded_value=ZERO,
            refunded_shipping=ZERO,
            refunded_total=ZERO,
            channel=cells.get("channel", "").strip() or None,
            country=country,
        )
        return order, self._line(order, cells, quantity)

    def who_and_when(self, cells: object) -> tuple[str, datetime]:
        """Customer and instant of a row. Raises PayloadError like `order`."""
        cells = _cells(cells)
        return _customer_id(cells), self._ordered_at(cells["ordered_at"])

    def _line(self, order: Order, cells: Cells, quantity: Decimal | None) -> OrderLine | None:
        category = cells.get("category", "").strip() or None
        if category is None and quantity is None:
            return None
        return OrderLine(
            shop=order.shop,
            order_id=order.order_id,
            line_id=order.order_id,
            sku=None,
            product_id=None,
            category=category,
            quantity=Decimal(1) if quantity is None else quantity,
            net_value=order.goods_value,
            unit_cost=None,
        )

    def _ordered_at(self, text: str) -> datetime:
        """An ISO 8601 date or instant; without a zone it is UTC, a date is its midnight."""
        try:
            moment = _instant(text)
        except (ValueError, OverflowError):
            raise _wrong("ordered_at", "is no date like 2026-11-22 or 2026-11-22T10:30Z") from None
        if moment > self._latest:
            raise _wrong("ordered_at", "lies in the future")
        if moment < OLDEST:
            raise _wrong("ordered_at", "lies before 1970")
        return moment

    def _currency_of(self, cells: Cells) -> str:
        code = cells.get("currency", "").strip().upper() or self._currency
        if code not in CURRENCIES:
            raise _wrong("currency", "is no currency code of ISO 4217")
        return code

    def _given_id(self, cells: Cells) -> str:
        order_id = cells.get("order_id", "").strip()
        if order_id in self.ids:
            raise _wrong("order_id", "stands in an earlier row already; a row is a whole order")
        if order_id:
            self.ids.add(order_id)
        return order_id

    def _made_id(self, customer_id: str, ordered_at: datetime, value: Decimal) -> str:
        content = f"{customer_id}\0{ordered_at.isoformat()}\0{value.normalize():f}"
        digest = hashlib.sha256(content.encode()).digest()[:12]
        self._equals[digest] += 1
        order_id = f"row-{digest.hex()}-{self._equals[digest]}"
        self.ids.add(order_id)
        return order_id


def _cells(cells: object) -> Cells:
    if not isinstance(cells, Mapping):
        raise _wrong("columns", "the row hasn't as many cells as the header")
    return cells


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _customer_id(cells: Cells) -> str:
    customer_id = cells["customer_id"].strip()
    if not customer_id:
        raise _wrong("customer_id", "is missing")
    if "@" in customer_id:  # the store holds no clear e-mail, and ids are kept as they are
        raise _wrong("customer_id", "looks like an e-mail; name customers by an id")
    return customer_id


def _number(column: str, text: str) -> Decimal:
    """An exact number from 0 to 10^12 with at most four decimals."""
    text = text.strip()
    if not NUMBER.fullmatch(text):
        raise _wrong(column, "is no number like 1234.50")
    number = Decimal(text)
    if number < 0:
        raise _wrong(column, "is negative")
    if number >= ABSURD:
        raise _wrong(column, "is absurdly large")
    if round(number, PLACES) != number:
        raise _wrong(column, "has more than four decimals")
    return number


def _quantity(cells: Cells) -> Decimal | None:
    text = cells.get("quantity", "")
    return _number("quantity", text) if text.strip() else None


def _country(cells: Cells) -> str | None:
    code = cells.get("country", "").strip()
    country = country_of(code)
    if code and country is None:
        raise _wrong("country", "is no country code of two letters, like SE")
    return country
