from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigurationError
from connectors.rates import Rates, read_rates
from connectors.schema import Order, OrderLine, Refund, net_value

RATES = Rates(
    "EUR", {"USD": [(date(2026, 1, 1), Decimal("0.9")), (date(2026, 7, 1), Decimal("0.8"))]}
)
MARCH, AUGUST = datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 8, 8, tzinfo=UTC)

money = st.decimals(0, 10_000, places=2)


def order(**fields: object) -> Order:
    whole = Order(
        shop="us",
        order_id="1",
        order_number="000000001",
        customer_id="7",
        person_key="7",
        ordered_at=MARCH,
        updated_at=MARCH,
        state="complete",
        is_guest=False,
        is_test=False,
        currency="USD",
        goods_value=Decimal("100"),
        discount_value=Decimal("10"),
        tax_value=Decimal("18"),
        shipping_value=Decimal("5"),
        total_value=Decimal("113"),
        refunded_value=Decimal(0),
        refunded_shipping=Decimal(0),
        refunded_total=Decimal(0),
    )
    return replace(whole, **fields)


def line(number: int, net: Decimal, cost: Decimal | None = None) -> OrderLine:
    return OrderLine("us", "1", str(number), None, None, None, Decimal(1), net, cost)


def test_an_order_is_converted_at_the_rate_of_its_day() -> None:
    march, august = RATES.order(order()), RATES.order(order(ordered_at=AUGUST))
    assert (march.currency, march.total_value) == ("EUR", Decimal("101.7"))
    assert (august.currency, august.total_value) == ("EUR", Decimal("90.4"))
    assert (march.goods_value, march.discount_value) == (Decimal(90), Decimal(9))


def test_what_is_in_the_currency_already_stays_as_it_is() -> None:
    euros = order(currency="EUR")
    assert RATES.order(euros) is euros
    lines = [line(1, Decimal("9.99"), Decimal(3))]
    assert list(RATES.lines(euros, lines)) == lines


@pytest.mark.parametrize(
    ("day", "rate"),
    [(date(2026, 1, 1), "0.9"), (date(2026, 6, 30), "0.9"), (date(2026, 7, 1), "0.8"),
     (date(2030, 1, 1), "0.8")],
)  # fmt: skip
def test_a_rate_holds_from_its_day_until_the_next(day: date, rate: str) -> None:
    assert RATES.rate("USD", day) == Decimal(rate)


@pytest.mark.parametrize(
    ("currency", "day"), [("USD", date(2025, 12, 31)), ("GBP", date(2026, 8, 1))]
)
def test_a_rate_that_nobody_gave_is_asked_for(currency: str, day: date) -> None:
    with pytest.raises(ConfigurationError, match=f"one {currency} was worth in EUR on {day}"):
        RATES.rate(currency, day)


@given(money, money, money, money, st.decimals("0.0001", 400, places=6))
def test_the_parts_of_a_converted_order_add_up_and_nothing_is_left_of_a_whole_refund(
    goods: Decimal, discount: Decimal, tax: Decimal, shipping: Decimal, rate: Decimal
) -> None:
    net = goods - discount
    total = net + tax + shipping
    rates = Rates("EUR", {"USD": [(date(2026, 1, 1), rate)]})
    whole = order(
        goods_value=goods,
        discount_value=discount,
        tax_value=tax,
        shipping_value=shipping,
        total_value=total,
        refunded_value=net,
        refunded_shipping=shipping,
        refunded_total=total,
    )
    converted = rates.order(whole)  # an order whose parts don't add up can't be made
    assert net_value(converted) == net_value(converted, "gross") == 0
    assert net_value(converted, "net_with_shipping") == 0
    assert abs(converted.total_value - total * rate) <= Decimal("0.0002")
    untouched = rates.order(replace(whole, refunded_value=Decimal(0), refunded_total=Decimal(0)))
    assert untouched.refunded_value == 0 or net == 0


@given(st.lists(st.decimals(-100, 1000, places=2), max_size=9), st.decimals("0.01", 9, places=4))
def test_converted_lines_add_up_to_what_they_did(nets: list[Decimal], rate: Decimal) -> None:
    rates = Rates("EUR", {"USD": [(date(2026, 1, 1), rate)]})
    lines = [line(number, net, Decimal(2)) for number, net in enumerate(nets)]
    converted = list(rates.lines(order(), lines))
    whole = sum(nets, Decimal(0))
    assert sum((one.net_value for one in converted), Decimal(0)) == round(whole * rate, 4)
    assert all(
        abs(one.net_value - net * rate) <= Decimal("0.0001")
        for one, net in zip(converted, nets, strict=True)
    )


def test_a_refund_is_converted_at_the_rate_of_its_orders_day() -> None:
    refund = Refund(
        "us", "3", "1", AUGUST, "USD", Decimal(90), Decimal(5), Decimal(18), Decimal(113)
    )
    converted = RATES.refund(refund, MARCH.date())
    assert (converted.currency, converted.refunded_total) == ("EUR", Decimal("101.7"))
    assert converted.refunded_value == Decimal(81)
    euros = replace(refund, currency="EUR")
    assert RATES.refund(euros, MARCH.date()) is euros


# ------------------------------------------------------------------------------------- the file


def read(tmp_path: Path, text: str) -> Rates:
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="utf-8")
    return read_rates(path, "EUR", "CLV_US_RATES")


def test_a_file_is_read_in_any_order_and_with_columns_of_its_own(tmp_path: Path) -> None:
    rates = read(
        tmp_path,
        "\ufeffrate,currency,from,source\n0.8,USD,2026-07-01,ECB\n1.15,GBP,2026-01-01,\n"
        "0.9,USD,2026-01-01,ECB\n",
    )
    assert rates.rate("USD", date(2026, 3, 3)) == Decimal("0.9")
    assert rates.rate("USD", date(2026, 8, 8)) == Decimal("0.8")
    assert rates.rate("GBP", date(2026, 8, 8)) == Decimal("1.15")
    assert rates.rate("EUR", date(1999, 1, 1)) == 1


@pytest.mark.parametrize(
    "line",
    ["usd,2026-01-01,0.9", "USD,01.02.2026,0.9", "USD,2026-01-01,1,15", "USD,2026-01-01,-1",
     "USD,2026-01-01,0", "USD,2026-01-01,NaN", "USD,2026-01-01,", "USD"],
)  # fmt: skip
def test_a_line_that_can_not_be_read_is_named(line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"line 3 .*CLV_US_RATES"):
        read(tmp_path, f"currency,from,rate\nUSD,2026-01-01,0.9\n{line}\n")


@pytest.mark.parametrize("text", ["", "currency,rate\nUSD,0.9\n", "\0"])
def test_a_file_of_another_kind_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLV_US_RATES"):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="CLV_US_RATES"):
        read_rates(tmp_path / "none.csv", "EUR", "CLV_US_RATES")
