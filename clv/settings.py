"""How to score: horizon, discount, margin, lifespan, tiers, and what the models need."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from clv.errors import BadSettings
from clv.forecast import Needs
from clv.tiers import Tiers


@dataclass(frozen=True)
class ScoreSettings:
    """How to score. Raises BadSettings.

    `interval`: of how many customers the bounds shall hold what comes, as a share.

    `discount_per_year`: money in a year is worth 1 / (1 + this) today. `margin`: what is earned of
    net sales, 0 to 1. `cac`: what winning a customer costs. `lifespan_years`: how long customers
    stay, for the formula alone: three unless the owner knows better, since a shop's own data can't
    tell before customers had the time to leave.
    """

    horizon_days: int = 365
    discount_per_year: float = 0.10
    margin: Decimal | None = None
    cac: Decimal | None = None
    lifespan_years: Decimal = Decimal(3)
    interval: float = 0.8
    tiers: Tiers = field(default_factory=Tiers)
    needs: Needs = field(default_factory=Needs)

    def __post_init__(self) -> None:
        in_reach = 1 <= self.horizon_days <= 50 * 365
        _require(in_reach, "between 1 day and 50 years", self, "horizon_days")
        _require(0 <= self.discount_per_year <= 10, "between 0 and 10", self, "discount_per_year")
        _require(0 < self.lifespan_years <= 100, "above 0, up to 100", self, "lifespan_years")
        _require(self.margin is None or 0 <= self.margin <= 1, "between 0 and 1", self, "margin")
        _require(0.01 <= self.interval <= 0.99, "between 0.01 and 0.99", self, "interval")
        _require(self.cac is None or self.cac >= 0, "0 or more", self, "cac")


def _require(fine: bool, rule: str, settings: ScoreSettings, name: str) -> None:
    if not fine:
        raise BadSettings(f"{name} must be {rule}", **{name: getattr(settings, name)})
