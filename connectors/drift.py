"""How far a plan moves a shop as a whole: too far at once is more likely a fault than the truth.

A cut-off pull, a wrong currency or a changed setting moves everybody. What people look at every
day must not jump unattended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass
from decimal import Decimal
from typing import NamedTuple

from connectors.errors import GuardStopped
from connectors.schema import Shown

#: So many customers may always change their tier, however small the shop.
FEW = 10


@dataclass(frozen=True, slots=True)
class Drift:
    """Customers who show a score and keep one; how many of them change their tier.

    `before` and `after` are what they show as predicted money, all together.
    """

    customers: int = 0
    moved: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)

    @property
    def jump(self) -> Decimal:
        """How much the predicted money moves, as a share of what it was."""
        return abs(self.after - self.before) / self.before if self.before else Decimal(0)

    def __add__(self, other: Drift) -> Drift:
        """That of other customers of the shop as well."""
        both = zip(astuple(self), astuple(other), strict=True)
        return Drift(*(one + another for one, another in both))

    def told(self) -> dict[str, str]:
        """As text, for a plan file; `read` takes it back."""
        return {name: str(value) for name, value in asdict(self).items()}

    @classmethod
    def read(cls, told: Mapping[str, str]) -> Drift:
        before, after = Decimal(told["before"]), Decimal(told["after"])
        return cls(int(told["customers"]), int(told["moved"]), before, after)


class Limits(NamedTuple):
    """Shares; None where the owner set no limit."""

    tier_moves: Decimal | None = None
    value_jump: Decimal | None = None


def drift(shown: Mapping[str, Shown], scored: Mapping[str, Shown]) -> Drift:
    """What the scores would make of what the customers show today."""
    both = [(today, scored[one]) for one, today in shown.items() if today and one in scored]
    return Drift(
        customers=len(both),
        moved=sum(today.get("tier") not in (None, score.get("tier")) for today, score in both),
        before=_predicted(today for today, _ in both),
        after=_predicted(score for today, score in both if "predicted_12m" in today),
    )


def guard(shop: str, found: Drift, limits: Limits) -> None:
    """GuardStopped where more moves than the owner allows."""
    if limits.tier_moves is not None:
        allowed = max(Decimal(FEW), limits.tier_moves * found.customers)
        if found.moved > allowed:
            raise _stopped(
                shop,
                f"{found.moved:,} of {found.customers:,} customers would change their tier",
                f"{limits.tier_moves:.0%} may (CLV_MAX_TIER_MOVES)",
            )
    if limits.value_jump is not None and found.jump > limits.value_jump:
        raise _stopped(
            shop,
            f"the predicted value would go from {found.before:,.0f} to {found.after:,.0f}",
            f"it may move by {limits.value_jump:.0%} (CLV_MAX_VALUE_JUMP)",
        )


def _predicted(shown: Iterable[Shown]) -> Decimal:
    return sum((_amount(one.get("predicted_12m")) for one in shown), Decimal(0))


def _amount(text: str | None) -> Decimal:
    """What a customer shows as money; zero where somebody wrote something else there."""
    try:
        return Decimal(text or 0)
    except ArithmeticError:
        return Decimal(0)


def _stopped(shop: str, what: str, allowed: str) -> GuardStopped:
    return GuardStopped(
        f"{what}, {allowed}; nothing written",
        mend="Look at `plan`; if it is right: `apply --allow-drift`.",
        shop=shop,
    )
