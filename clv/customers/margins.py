"""What orders earned: net value at a rate, at the category's rate, or less its cost.

Decimal in, Decimal out, exact and unrounded; float in, float out. A row's margin is missing where
its rate or cost is unknown, never zero: `Margins.unknown` counts those rows. A refund, being
negative, takes its margin back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import BadSettings
from clv.transaction_rows import require_column, values

Rate = Decimal | float
#: Floats, or Decimals as objects.
Amounts = NDArray[Any]

NAN = Decimal("NaN")


@dataclass(frozen=True)
class Margins:
    """`margin` by the index of the rows (or by order); missing (None, NaN) where unknown."""

    margin: pd.Series

    @property
    def unknown(self) -> int:
        """How many have no known margin."""
        return int(self.margin.isna().sum())

    @property
    def total(self) -> Any:
        """What the known ones add up to."""
        return self.margin.dropna().sum()


def margin_by_rate(transactions: pd.DataFrame, rate: Rate) -> Margins:
    """The same share of every row's net value. Raises BadTransactions, BadSettings."""
    _require_rate("rate", rate)
    net = _amounts(transactions, c.NET_VALUE)
    return _margins(transactions, net, net * _as(rate, net), ~_missing(net))


def margin_by_category(
    transactions: pd.DataFrame, rates: Mapping[str, Rate], default: Rate | None = None
) -> Margins:
    """Each row at its category's rate; other categories at `default`, without it unknown.

    Raises BadTransactions, BadSettings.
    """
    for name, rate in {**rates, "default": default}.items():
        if rate is not None:
            _require_rate(name, rate)
    net = _amounts(transactions, c.NET_VALUE)
    codes, names = pd.factorize(_column(transactions, c.CATEGORY), use_na_sentinel=True)
    of_name = [rates.get(name, default) for name in names] + [default]  # code -1 is the last
    known = np.array([rate is not None for rate in of_name])[codes] & ~_missing(net)
    each = np.array([_as(0 if rate is None else rate, net) for rate in of_name], dtype=net.dtype)
    return _margins(transactions, net, net * each[codes], known)


def margin_by_cost(transactions: pd.DataFrame, *, per_unit: bool = False) -> Margins:
    """Net value less `cost`: that of the whole row or, with `per_unit`, of each of `quantity`.

    A refunded row whose goods came back has a negative cost (or quantity). Raises BadTransactions.
    """
    net = _amounts(transactions, c.NET_VALUE)
    spent = _amounts(transactions, c.COST, like=net)
    if per_unit:
        spent = spent * _amounts(transactions, c.QUANTITY, like=net)
    return _margins(transactions, net, net - spent, ~(_missing(net) | _missing(spent)))


def margin_by_order(transactions: pd.DataFrame, margins: Margins) -> Margins:
    """The rows' margins added up by `order_id`; unknown where that of any row is.

    `margins` row by row as the other functions give them. Rows without an order are left out.
    """
    order = _column(transactions, c.ORDER_ID).to_numpy(dtype=object)
    rows = pd.DataFrame({"margin": margins.margin.to_numpy(), "order": order})
    by = rows.groupby("order", sort=True)["margin"]
    total = by.sum().astype(margins.margin.dtype)
    total[by.count() < by.size()] = np.nan if total.dtype == np.float64 else None
    return Margins(total.rename_axis(c.ORDER_ID).rename(c.MARGIN))


def _margins(
    transactions: pd.DataFrame, net: Amounts, margin: Amounts, known: NDArray[np.bool_]
) -> Margins:
    """`margin` where it is known, by the rows' own index."""
    kept = margin.copy()
    kept[~known] = np.nan if net.dtype == np.float64 else None
    return Margins(pd.Series(kept, index=transactions.index, dtype=net.dtype, name=c.MARGIN))


def _amounts(transactions: pd.DataFrame, name: str, like: Amounts | None = None) -> Amounts:
    """A column as floats or, where money is exact, as Decimals. Missing is NaN in both."""
    column = _column(transactions, name)
    numbers = values(column)
    exact = _is_exact(column) if like is None else like.dtype == object
    if not exact:
        return numbers
    missing = np.isnan(numbers)
    return np.array(
        [NAN if lost else Decimal(str(value)) for value, lost in zip(column, missing, strict=True)],
        dtype=object,
    )


def _column(transactions: pd.DataFrame, name: str) -> pd.Series:
    require_column(transactions, name)
    return transactions[name]


def _is_exact(column: pd.Series) -> bool:
    return column.dtype == object and any(isinstance(value, Decimal) for value in column)


def _missing(amounts: Amounts) -> NDArray[np.bool_]:
    return np.not_equal(amounts, amounts).astype(bool)


def _as(rate: Rate, amounts: Amounts) -> Rate:
    """The rate in the amounts' own kind of number."""
    return float(rate) if amounts.dtype == np.float64 else Decimal(str(rate))


def _require_rate(name: str, rate: Rate) -> None:
    if not 0 <= rate <= 1:
        raise BadSettings("a margin is a share of net value, 0 to 1", name=name, rate=rate)
