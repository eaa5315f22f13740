from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.config import KEYS, SHOP_KEYS, WAYS_IN, read_settings
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
    listed = set(re.findall(r"^#? ?(CLV_\w+)=", (ROOT / ".env.example").read_text(), re.M))
    shop_keys = {key for key in listed if re.match(r"CLV_(EU|US|X)_", key)}
    assert listed - shop_keys == set(KEYS)
    assert {re.sub(r"^CLV_(EU|US|X)_", "", key) for key in shop_keys} == set(SHOP_KEYS)


def test_env_example_shows_the_defaults() -> None:
    shown = dict(re.findall(r"^(CLV_\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))
    assert {key: shown[key] for key in KEYS if key != "CLV_SHOPS"} == {
        key: default for key, default in KEYS.items() if key != "CLV_SHOPS"
    }


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
    assert "CLV_EU_ACCESS_TOKEN_SECRET is missing" in told or "CLV_EU_TOKEN is missing" in told


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
