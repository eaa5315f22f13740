"""One job for every shop of a session."""

from __future__ import annotations

from collections.abc import Callable

from connectors import tracing
from connectors.config import ShopSettings
from connectors.errors import ConnectorError
from connectors.session import Session
from jobs.engine import clv


def each_shop(at: Session, job: Callable[[Session, ShopSettings], object]) -> None:
    """The job for every shop; one that fails doesn't stop the others, a wish to stop does."""
    for shop in at.shops:
        try:
            with tracing.stage("shop", shop=shop.shop):
                job(at, shop)
        except (ConnectorError, clv.errors.ClvError) as error:
            at.failed(shop.shop, error)
        if at.stopping():
            return at.worse(130)
