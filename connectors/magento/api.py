"""Where Magento's REST routes are: under `/rest/<store>` in a shop of one's own, not so in Adobe's.

https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21)
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.config import ShopSettings


@dataclass(frozen=True, slots=True)
class Api:
    """The paths of one shop's routes, from its base URL on.

    A store's scope filters neither orders nor customers (seen on 2.4.7-p3), so it is `all`.
    """

    prefix: str = "/rest/all/V1"
    bulk: str = "/rest/all/async/bulk/V1"

    def path(self, tail: str) -> str:
        return f"{self.prefix}/{tail}"

    def bulk_path(self, tail: str) -> str:
        """A route that queues its rows; how they fared is asked for under `path`."""
        return f"{self.bulk}/{tail}"


#: Adobe Commerce as a Cloud Service: the tenant is in the base URL, the store in a header.
CLOUD = Api(prefix="/V1", bulk="/V1/async/bulk")


def api_of(settings: ShopSettings) -> Api:
    """The routes of the shop that the settings name."""
    if settings.ims_org:
        return CLOUD
    root = f"/rest/{settings.store_code}"
    return Api(prefix=f"{root}/V1", bulk=f"{root}/async/bulk/V1")
