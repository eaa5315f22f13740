from __future__ import annotations

import pytest

from connectors.config import ShopSettings
from connectors.magento.api import Api, api_of


def test_a_shop_of_ones_own_is_asked_below_rest_and_its_store() -> None:
    api = api_of(ShopSettings("eu", "magento"))
    assert api == Api()
    assert api.path("orders") == "/rest/all/V1/orders"
    bulk = api.bulk_path("customers/byCustomerId")
    assert bulk == "/rest/all/async/bulk/V1/customers/byCustomerId"


def test_adobes_cloud_has_no_rest_and_its_queue_behind_the_version() -> None:
    api = api_of(ShopSettings("eu", "magento", ims_org="1@AdobeOrg", store_code="de"))
    assert api.path("orders") == "/V1/orders"
    assert api.bulk_path("customers/byCustomerId") == "/V1/async/bulk/customers/byCustomerId"


@pytest.mark.parametrize("code", ["all", "de"])
def test_the_store_view_is_part_of_every_path(code: str) -> None:
    api = api_of(ShopSettings("eu", "magento", store_code=code))
    assert api.path("orders").startswith(f"/rest/{code}/V1/")
    assert api.bulk_path("x").startswith(f"/rest/{code}/async/bulk/V1/")
