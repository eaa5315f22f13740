from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.config import (
    KEYS,
    SHOP_DEFAULTS,
    SHOP_KEYS,
    WAYS_IN,
    ShopSettings,
    read_settings,
)
from connectors.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]

MAGENTO = {
    "CLV_SHOPS": "eu",
    "CLV_EU_PLATFORM": "magento",
    "CLV_EU_URL": "https://shop.example.com/",
    "CLV_EU_TOKEN": "secret-token",
}


def complaint(**changes: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({**MAGENTO, **changes})
    return str(caught.value)


def test_env_example_lists_every_key_and_no_other() -> None:
    listed = set(re.findall(r"^#? ?((?:CLV|OTEL)_\w+)=", (ROOT / ".env.example").read_text(), re.M))
    shop_keys = {key for key in listed if re.match(r"CLV_(EU|US|X)_", key)}
    assert listed - shop_keys == set(KEYS)
    assert {re.sub(r"^CLV_(EU|US|X)_", "", key) for key in shop_keys} == set(SHOP_KEYS)


def test_env_example_shows_the_defaults() -> None:
    shown = dict(
        re.findall(r"^((?:CLV|OTEL)_\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    )
    assert {key: shown[key] for key in KEYS if key != "CLV_SHOPS"} == {
        key: default for key, default in KEYS.items() if key != "CLV_SHOPS"
    }


def test_env_example_shows_a_shops_defaults() -> None:
    shown = dict(
        re.findall(r"^CLV_(?:EU|US)_(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    )
    assert {key: shown[key] for key in SHOP_DEFAULTS} == SHOP_DEFAULTS


def test_a_magento_shop_with_a_token_is_enough() -> None:
    settings = read_settings(MAGENTO)
    assert settings.shop("eu").url == "https://shop.example.com"
    assert settings.tiers == (("high", 0.5), ("medium", 0.8), ("low", 1.0))
    assert settings.max_changes is None


def test_secrets_do_not_show() -> None:
    settings = read_settings({**MAGENTO, "CLV_EMAIL_KEY": "0123456789abcdef"})
    assert "secret-token" not in repr(settings)
    assert "0123456789abcdef" not in repr(settings)


@pytest.mark.parametrize("name", ["CLV_EMAIL_KEY", "CLV_EU_URL"])
def test_a_complaint_never_repeats_a_secret(name: str) -> None:
    wrong = {"CLV_EMAIL_KEY": "hunter2", "CLV_EU_URL": "https://me:hunter2@shop.example.com"}
    told = complaint(**{name: wrong[name]})
    assert name in told
    assert "hunter2" not in told


def test_everything_wrong_is_told_at_once() -> None:
    told = complaint(CLV_VALUE="profit", CLV_HORIZON_DAYS="soon", CLV_EU_TOKEN="", CLV_MARGIN="40")
    for name in ("CLV_VALUE", "CLV_HORIZON_DAYS", "CLV_EU_TOKEN", "CLV_MARGIN"):
        assert name in told


def test_the_shorter_way_in_is_asked_for() -> None:
    told = complaint(
        CLV_EU_TOKEN="",
        CLV_EU_CONSUMER_KEY="k",
        CLV_EU_CONSUMER_SECRET="s",
        CLV_EU_ACCESS_TOKEN="a",
    )
    assert "CLV_EU_ACCESS_TOKEN_SECRET is missing" in told
    assert "CLV_EU_TOKEN" not in told


@pytest.mark.parametrize("platform", WAYS_IN)
def test_each_platform_names_what_is_missing(platform: str) -> None:
    with pytest.raises(ConfigurationError, match=f"CLV_X_{WAYS_IN[platform][0][0]} is missing"):
        read_settings({"CLV_SHOPS": "x", "CLV_X_PLATFORM": platform})


def test_no_shop_at_all_is_told_with_an_example() -> None:
    with pytest.raises(ConfigurationError, match="CLV_SHOPS is missing"):
        read_settings({})


@pytest.mark.parametrize(
    "tiers",
    [
        "high",
        "high:0.5",
        "high:0.9,low:0.5",
        "High:1",
        "high:x",
        "a:0,b:1",
        "a:0.5,a:1",
        "new:1",
        "ignore:1",
        "",
    ],
)
def test_tiers_that_make_no_sense_are_refused(tiers: str) -> None:
    if tiers:
        assert "CLV_TIERS" in complaint(CLV_TIERS=tiers)
    else:
        assert read_settings({**MAGENTO, "CLV_TIERS": tiers}).tiers


def test_an_unknown_shop_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="eu"):
        read_settings(MAGENTO).shop("de")


# -------------------------------------------------------------------------- what one shop can set


def settings_of(**changes: str) -> ShopSettings:
    return read_settings({**MAGENTO, **changes}).shop("eu")


def test_without_a_word_from_the_owner_a_shop_is_set_as_documented() -> None:
    settings = settings_of()
    assert (settings.attribute_prefix, settings.workers, settings.write) == ("clv_", 4, "auto")
    assert (settings.store_code, settings.rates, settings.groups) == ("all", "", {})
    assert settings.read == "auto"


def test_what_a_shop_is_set_to_is_what_it_gets() -> None:
    settings = settings_of(
        CLV_EU_ATTRIBUTE_PREFIX="acme_",
        CLV_EU_WORKERS="16",
        CLV_EU_WRITE="put",
        CLV_EU_GROUPS="high:5, new:6",
        CLV_EU_STORE_CODE="de_b2b",
        CLV_EU_RATES="rates.csv",
        CLV_EU_CURRENCY="EUR",
        CLV_EU_READ="rest",
    )
    assert (settings.attribute_prefix, settings.workers, settings.write) == ("acme_", 16, "put")
    assert settings.groups == {"high": "5", "new": "6"}
    assert (settings.store_code, settings.rates) == ("de_b2b", "rates.csv")
    assert settings.read == "rest"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ATTRIBUTE_PREFIX", "clv-"),
        ("ATTRIBUTE_PREFIX", "1clv_"),
        ("WORKERS", "0"),
        ("WORKERS", "17"),
        ("WORKERS", "many"),
        ("WRITE", "soap"),
        ("READ", "soap"),
        ("GROUPS", "high"),
        ("GROUPS", "high:0"),
        ("GROUPS", "high:vip"),
        ("GROUPS", "huge:5"),
        ("GROUPS", "high:5,high:6"),
        ("STORE_CODE", "de/../x"),
        ("STORE_CODE", "de-b2b"),
        ("IMS_URL", "https://adobelogin.com.evil.example"),
        ("IMS_URL", "https://evil.example/adobelogin.com"),
        ("IMS_URL", "https://me@ims-na1.adobelogin.com"),
        ("IMS_URL", "http://ims-na1.adobelogin.com"),
        ("URL", "https://shop.example.com/rest/"),
        ("URL", "https://na1.api.commerce.adobe.com/tenant/V1"),
        ("URL", "https://na1.api.commerce.adobe.com/tenant/graphql"),
    ],
)
def test_a_wrong_setting_of_a_shop_is_named(key: str, value: str) -> None:
    assert f"CLV_EU_{key}: " in complaint(**{f"CLV_EU_{key}": value})


@pytest.mark.parametrize(
    "url",
    [
        "https://ims-na1.adobelogin.com",
        "https://ims-na1-stg1.adobelogin.com/",
        "http://127.0.0.1:1",
    ],
)
def test_the_sign_in_may_be_adobes_own_or_loopback(url: str) -> None:
    assert settings_of(CLV_EU_IMS_URL=url).ims_url == url.rstrip("/")


def test_rates_lead_into_a_currency() -> None:
    assert "CLV_EU_CURRENCY is missing" in complaint(CLV_EU_RATES="rates.csv")


CLOUD = {
    "CLV_EU_URL": "https://na1.api.commerce.adobe.com/tenant",
    "CLV_EU_TOKEN": "",
    "CLV_EU_CLIENT_ID": "id-canary",
    "CLV_EU_CLIENT_SECRET": "secret-canary",
    "CLV_EU_IMS_ORG": "1234@AdobeOrg",
}


def test_adobes_cloud_is_reached_with_the_credential_of_a_project() -> None:
    settings = settings_of(**CLOUD)
    assert settings.ims_org == "1234@AdobeOrg"
    assert "canary" not in repr(settings)


def test_half_a_credential_asks_for_its_other_half() -> None:
    assert "CLV_EU_IMS_ORG is missing" in complaint(**{**CLOUD, "CLV_EU_IMS_ORG": ""})


def test_an_organization_means_adobes_cloud_whatever_else_is_set() -> None:
    told = complaint(CLV_EU_TOKEN="t", CLV_EU_IMS_ORG="1234@AdobeOrg")
    assert "CLV_EU_CLIENT_ID is missing" in told
    assert "CLV_EU_CLIENT_SECRET is missing" in told


def test_segments_can_be_switched_off() -> None:
    assert settings_of().segments
    assert not settings_of(CLV_EU_SEGMENTS="no").segments
    assert "CLV_EU_SEGMENTS: one of yes, no" in complaint(CLV_EU_SEGMENTS="maybe")


def test_everything_wrong_with_several_shops_is_told_at_once_with_where_to_get_it() -> None:
    told = complaint(
        CLV_SHOPS="eu,us",
        CLV_EU_WORKERS="x",
        CLV_EU_GROUPS="x:1",
        CLV_US_PLATFORM="magento",
        CLV_US_URL="https://us.example.com",
    )
    for one in ("CLV_EU_WORKERS", "CLV_EU_GROUPS", "CLV_US_TOKEN is missing: Magento: System"):
        assert one in told


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CLV_MAX_CHANGE", "CLV_MAX_CHANGES"),
        ("CLV_TIERZ", "CLV_TIERS"),
        ("CLV_EU_PLATFROM", "CLV_EU_PLATFORM"),
        ("CLV_EU_CURENCY", "CLV_EU_CURRENCY"),
    ],
)
def test_a_misspelt_name_is_told_with_the_one_that_was_meant(name: str, meant: str) -> None:
    assert f"{name} is no setting; {meant} is" in complaint(**{name: "1"})


def test_a_name_like_nothing_of_ours_is_told_alone() -> None:
    assert "CLV_QQQQQQ is no setting. Mend" in complaint(CLV_QQQQQQ="1")


def test_what_is_kept_for_a_shop_that_is_not_among_them_is_left_alone() -> None:
    settings = read_settings(
        {**MAGENTO, "CLV_UK_TOKEN": "t", "CLV_EU_B2B_URL": "https://x.example"}
    )
    assert settings.shop_names == ["eu"]
