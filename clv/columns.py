"""The columns that pass between the rooms, named once. Durations in days, money in `currency`.

The summary has one row per customer: `frequency` purchase days after the first, `recency` from the
first to the last purchase, `T` from the first purchase to the scoring day, `monetary_value` the
mean net value of the repeat purchase days (none where `frequency` is 0). Purchases of one day
count once. `gross`, `refunds`, `net` and `margin` add up all counting orders; `margin` is none
where costs are unknown. Money may be Decimal or float.
"""

from __future__ import annotations

SHOP = "shop"
PERSON_KEY = "person_key"
CUSTOMER_ID = "customer_id"
CURRENCY = "currency"
FREQUENCY = "frequency"
RECENCY = "recency"
T = "T"
MONETARY_VALUE = "monetary_value"
#: The sum of ln(wait) over the waits between purchases, in the unit of T; 0 without any. Optional.
LOG_WAITS = "log_waits"
DAYS_SINCE_LAST_ORDER = "days_since_last_order"
FIRST_ORDER_ON = "first_order_on"
LAST_ORDER_ON = "last_order_on"
ORDERS = "orders"
UNITS = "units"
GROSS = "gross"
REFUNDS = "refunds"
NET = "net"
MARGIN = "margin"

#: What the order store says about each customer: the input of `clv.score`.
SUMMARY = (
    SHOP,
    PERSON_KEY,
    CUSTOMER_ID,
    CURRENCY,
    FREQUENCY,
    RECENCY,
    T,
    MONETARY_VALUE,
    DAYS_SINCE_LAST_ORDER,
    FIRST_ORDER_ON,
    LAST_ORDER_ON,
    ORDERS,
    UNITS,
    GROSS,
    REFUNDS,
    NET,
    MARGIN,
)

AS_OF = "as_of"
HORIZON_DAYS = "horizon_days"
HISTORIC_NET = "historic_net"
FORMULA_CLV = "formula_clv"
MARGIN_CLV = "margin_clv"
MAX_CAC = "max_cac"
PREDICTED_CLV = "predicted_clv"
P_ALIVE = "p_alive"
EXPECTED_PURCHASES = "expected_purchases"
EXPECTED_SPEND = "expected_spend"
PURCHASES_LOW = "purchases_low"
PURCHASES_HIGH = "purchases_high"
CLV_LOW = "clv_low"
CLV_HIGH = "clv_high"
NEXT_ORDER_ON = "next_order_on"
TIER = "tier"
PREVIOUS_TIER = "previous_tier"
REASON = "reason"
MODEL = "model"

#: What `clv.score` says about each customer. Money is Decimal to the cent; absent values are None.
SCORES = (
    SHOP,
    PERSON_KEY,
    CUSTOMER_ID,
    CURRENCY,
    AS_OF,
    HORIZON_DAYS,
    HISTORIC_NET,
    FORMULA_CLV,
    MARGIN_CLV,
    MAX_CAC,
    PREDICTED_CLV,
    P_ALIVE,
    EXPECTED_PURCHASES,
    EXPECTED_SPEND,
    PURCHASES_LOW,
    PURCHASES_HIGH,
    CLV_LOW,
    CLV_HIGH,
    NEXT_ORDER_ON,
    DAYS_SINCE_LAST_ORDER,
    ORDERS,
    TIER,
    PREVIOUS_TIER,
    REASON,
    MODEL,
)

# ------------------------------------------------------- transactions, and what is asked of them

ORDERED_AT = "ordered_at"
NET_VALUE = "net_value"
ORDER_ID = "order_id"
CHANNEL = "channel"
CATEGORY = "category"
PRODUCT = "product"
COUPON = "coupon"
COUNTRY = "country"
COST = "cost"
QUANTITY = "quantity"

#: One row per order or order line: the input of `clv.summarise`, in one currency.
TRANSACTIONS = (CUSTOMER_ID, ORDERED_AT, NET_VALUE)
#: What a transaction may tell besides.
TRANSACTION_DETAILS = (ORDER_ID, CURRENCY, CHANNEL, CATEGORY, PRODUCT, COUPON, COUNTRY, COST)

DAY = "day"
VALUE = "value"
FIRST_PURCHASES = "first_purchases"
REPEAT_PURCHASES = "repeat_purchases"
