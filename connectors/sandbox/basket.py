"""From what was paid to what was bought: lines whose parts add up to a given net value.

Amounts are Decimal in whole cents. A line's net is its unit price times its quantity, exactly,
because a shop that shows prices without tax multiplies them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import NamedTuple

from connectors.sandbox.bodies import Kind, Line, Shipping

CENT = Decimal("0.01")
NOTHING = Decimal("0.00")


class Product(NamedTuple):
    kind: Kind
    sku: str
    name: str
    category: str
    vendor: str
    parts: tuple[str, ...] = ()
    """The chosen variant of a configurable, the parts of a bundle."""


CATALOGUE: tuple[tuple[int, Product], ...] = (  # how often it is bought, in percent
    (16, Product("simple", "JAZZ-001", "Blue Hour Sessions", "Jazz", "Harbour Records")),
    (14, Product("simple", "CLAS-014", "Preludes, 1 to 24", "Classical", "Édition Lumière")),
    (16, Product("simple", "ROCK-207", "Garage Anthems", "Rock", "Harbour Records")),
    (10, Product("simple", "HIPH-033", "Night Bus", "Hip-Hop", "Low End")),
    (8, Product("simple", "FILM-090", "Music from the Film “Tide”", "Soundtracks", "Low End")),
    (12, Product("configurable", "SHIRT-M", "Tour Shirt", "Merchandise", "Low End", ("M",))),
    (6, Product("configurable", "HOODIE-XL", "Hoodie", "Merchandise", "Low End", ("XL",))),
    (10, Product("bundle", "BOX-JAZZ", "Jazz Box", "Box Sets", "Harbour Records",
                 ("JAZZ-001", "JAZZ-002", "BOOKLET"))),
    (8, Product("virtual", "DL-LIVE", "Live in Köln (download)", "Downloads", "Édition Lumière")),
)  # fmt: skip
_PRODUCTS = [product for _, product in CATALOGUE]
_WEIGHTS = [weight for weight, _ in CATALOGUE]
_NUMBERS = {product.sku: 100 + 10 * n for n, product in enumerate(_PRODUCTS)}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def share(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`total` split in proportion to `weights`, in cents, nothing lost to rounding.

    Cumulative rounding: no share leaves its weight's side of zero, and none exceeds its fair part
    by more than a cent. All weights zero: everything goes to the last.
    """
    whole = sum(weights, NOTHING)
    given, seen, shares = NOTHING, NOTHING, []
    for n, weight in enumerate(weights, 1):
        seen += weight
        upto = total if n == len(weights) else cents(total * seen / whole) if whole else NOTHING
        shares.append(upto - given)
        given = upto
    return shares


def quantities(rng: Random, quantity: int, net: Decimal) -> list[tuple[int, Decimal]]:
    """At most three rows (quantity, net) that add up to both, each net a multiple of its quantity.

    All rows but the last hold several units at a round price; the last is one unit and takes
    what is left.
    """
    rows: list[tuple[int, Decimal]] = []
    while quantity > 1 and len(rows) < 2:
        taken = quantity - 1 if rows or quantity < 4 else rng.randint(1, quantity - 2)
        price = cents(net / quantity * Decimal(rng.randint(70, 100)) / 100)
        price = min(price, (net / quantity).quantize(CENT, "ROUND_FLOOR"))
        rows.append((taken, price * taken))
        quantity, net = quantity - taken, net - price * taken
    return [*rows, (quantity, net)]


class Basket(NamedTuple):
    """What is bought at which terms: `value` is what remains after the coupon, without tax."""

    value: Decimal
    quantity: int
    percent_off: int
    tax_percent: Decimal
    prices_include_tax: bool


def lines(rng: Random, basket: Basket, ids: Iterator[int]) -> list[Line]:
    """The top-level lines of a basket; sum(net - discount) is its value."""
    net = cents(basket.value * 100 / (100 - basket.percent_off))
    rows = quantities(rng, basket.quantity, net)
    discounts = share(net - basket.value, [row_net for _, row_net in rows])
    return [
        _line(rng, basket, (quantity, row_net, discount), ids)
        for (quantity, row_net), discount in zip(rows, discounts, strict=True)
    ]


def _line(
    rng: Random, basket: Basket, row: tuple[int, Decimal, Decimal], ids: Iterator[int]
) -> Line:
    quantity, net, discount = row
    product = rng.choices(_PRODUCTS, _WEIGHTS)[0]
    full_tax = cents(net * basket.tax_percent / 100)
    tax = cents((net - discount) * basket.tax_percent / 100)
    inside = full_tax - tax if basket.prices_include_tax else NOTHING
    # Where prices include tax a discount gives back its tax too, and Magento tells that part
    # apart; the discount without tax is what is kept here, so nothing else changes.
    shown = net + full_tax if basket.prices_include_tax else net
    line: Line = {
        "id": next(ids), "kind": product.kind, "sku": product.sku,
        "product_id": _NUMBERS[product.sku], "variant_id": _NUMBERS[product.sku] + 1000,
        "name": product.name, "category": product.category, "vendor": product.vendor,
        "quantity": quantity, "unit_price": str(cents(shown / quantity)),
        "net": str(net), "discount": str(discount), "discount_tax": str(inside), "tax": str(tax),
        "tax_percent": str(basket.tax_percent), "cost": str(cents(net / quantity * 6 / 10)),
        "children": [],
    }  # fmt: skip
    line["children"] = list(_children(line, product, ids))
    return line


def _children(line: Line, product: Product, ids: Iterator[int]) -> Iterator[Line]:
    if product.kind not in ("configurable", "bundle"):
        return
    parts = len(product.parts)
    bundle = product.kind == "bundle"
    of_line = (line["net"], line["discount"], line["discount_tax"], line["tax"])
    split = [_split(amount, parts if bundle else 0, parts) for amount in of_line]
    for n, part in enumerate(product.parts, 1):
        net, discount, inside, tax = (amounts[n - 1] for amounts in split)
        yield {
            **line, "id": next(ids), "kind": "simple", "sku": part if bundle else line["sku"],
            "product_id": line["product_id"] + n, "variant_id": line["variant_id"] + n,
            "name": f"{line['name']} ({part})", "net": net, "discount": discount,
            "discount_tax": inside, "tax": tax, "children": [],
            "unit_price": _part_of(line["unit_price"], parts, n) if bundle else "0.00",
            "cost": _part_of(line["cost"], parts, n),
        }  # fmt: skip


def _split(amount: str, into: int, count: int) -> list[str]:
    if not into:
        return [str(NOTHING)] * count
    return [str(part) for part in share(Decimal(amount), [Decimal(1)] * into)]


def _part_of(amount: str, parts: int, n: int) -> str:
    return str(share(Decimal(amount), [Decimal(1)] * parts)[n - 1])


def shipping(rng: Random, bought: Sequence[Line], basket: Basket) -> Shipping:
    """Free for downloads and from 50 on; else a flat rate and its tax."""
    free = basket.value >= 50 or all(line["kind"] == "virtual" for line in bought)
    net = NOTHING if free else Decimal(rng.choice(("4.12", "5.00", "8.24")))
    return {
        "title": "Flat Rate", "net": str(net), "tax": str(cents(net * basket.tax_percent / 100)),
        "discount": str(NOTHING), "discount_tax": str(NOTHING),
    }  # fmt: skip


def total(bought: Iterable[Line], shipped: Shipping) -> Decimal:
    """What the buyer pays: goods and shipping after discounts, with tax."""
    goods = sum((_paid(line) for line in bought), NOTHING)
    return goods + _paid(shipped)


def _paid(row: Line | Shipping) -> Decimal:
    return Decimal(row["net"]) - Decimal(row["discount"]) + Decimal(row["tax"])
