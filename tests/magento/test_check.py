from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.magento import MagentoShop
from connectors.magento.shown import PREFIX
from connectors.platform import Finding
from connectors.schema import FIELDS

from .conftest import NOW, FakeMagento, ok, recorded, refused

DENIED = "The consumer isn't authorized to access %resources."


@pytest.fixture
def sound(magento: FakeMagento) -> FakeMagento:
    magento.attributes = {PREFIX + field for field in FIELDS}
    magento.orders = recorded("orders.json")["items"]
    return magento


def looked_at(shop: MagentoShop, *, late: timedelta = timedelta(0)) -> dict[str, Finding]:
    return {finding.name: finding for finding in shop.check(NOW + late)}


def test_a_sound_shop_is_fine_in_every_line(sound: FakeMagento, shop: MagentoShop) -> None:
    findings = looked_at(shop)
    assert list(findings) == [
        "credentials",
        "orders",
        "credit memos",
        "customers",
        "attributes",
        "store views",
        "currencies",
        "clock",
    ]
    assert {one.status for one in findings.values()} == {"ok"}
    assert findings["orders"].detail == "7 to read"
    assert findings["credentials"].detail == "integration token as Bearer"
    assert findings["store views"].detail == "4 store views in 2 websites"
    assert findings["currencies"].detail == "base currency EUR"
    assert sound.paths("PUT") == []


def test_missing_attributes_are_named_with_the_mend(sound: FakeMagento, shop: MagentoShop) -> None:
    sound.attributes -= {"clv_tier", "clv_model"}
    found = looked_at(shop)["attributes"]
    assert (found.status, found.detail) == ("fail", "missing: clv_tier, clv_model")
    assert "magento-module" in found.mend


def test_a_refused_token_names_all_three_causes(sound: FakeMagento, shop: MagentoShop) -> None:
    sound.rules.append(lambda *_: refused(401, DENIED))
    findings = looked_at(shop)
    assert list(findings) == ["credentials"]
    found = findings["credentials"]
    assert found.status == "fail"
    for cause in ("wrong or revoked", "enable_integration_as_bearer", "role"):
        assert cause in found.mend


def test_a_narrow_role_is_told_apart_from_a_refused_token(
    sound: FakeMagento, shop: MagentoShop
) -> None:
    sound.rules.append(
        lambda method, path, query: refused(401, DENIED) if path.startswith("cust") else None
    )
    findings = looked_at(shop)
    assert findings["credentials"].status == "warn"
    assert findings["customers"].status == "fail"
    assert findings["orders"].status == "ok"


@pytest.mark.parametrize(
    ("late", "status"), [(0, "ok"), (30, "ok"), (-120, "warn"), (300, "warn"), (3600, "fail")]
)
def test_the_clocks_are_compared(
    late: int, status: str, sound: FakeMagento, shop: MagentoShop
) -> None:
    assert looked_at(shop, late=timedelta(seconds=late))["clock"].status == status


def test_several_base_currencies_are_pointed_out(sound: FakeMagento, shop: MagentoShop) -> None:
    configs = [{"base_currency_code": "EUR"}, {"base_currency_code": "USD"}]
    sound.rules.append(
        lambda method, path, query: ok(configs) if path == "store/storeConfigs" else None
    )
    assert looked_at(shop)["currencies"].status == "warn"


def test_a_shop_that_is_down_is_one_line(sound: FakeMagento, shop: MagentoShop) -> None:
    sound.rules.append(lambda *_: (503, {}, "<html>maintenance</html>"))
    findings = looked_at(shop)
    assert list(findings) == ["shop"]
    assert findings["shop"].status == "fail"
    assert findings["shop"].mend


def test_a_shop_that_redirects_is_one_line_with_the_variable(
    sound: FakeMagento, shop: MagentoShop
) -> None:
    sound.rules.append(lambda *_: (301, {"Location": "https://www.shop.example/x"}, ""))
    findings = looked_at(shop)
    assert list(findings) == ["shop"]
    assert "CLV_EU_URL" in findings["shop"].mend


def test_an_answer_of_another_shape_is_a_finding_and_no_crash(
    sound: FakeMagento, shop: MagentoShop
) -> None:
    sound.rules.append(lambda *_: ok(["what?"]))
    findings = looked_at(shop)
    assert [one.name for one in findings.values() if one.status == "fail"] == [
        "orders",
        "credit memos",
        "customers",
        "attributes",
        "store views",
        "currencies",
    ]
