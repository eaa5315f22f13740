"""Expiring tokens: renewed before their end and once on a 401, kept before they are used."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest

from connectors.config import ShopSettings
from connectors.errors import (
    AuthenticationError,
    ConfigurationError,
    ShopUnavailable,
    StoreError,
)
from connectors.http import Http
from connectors.sandbox import (
    SHOPIFY_CLIENT_ID,
    SHOPIFY_CLIENT_SECRET,
    SHOPIFY_REFRESH_TOKEN,
)
from connectors.sandbox.shopify.setup import configure
from connectors.shopify import tokens
from connectors.shopify.auth import open_http
from connectors.shopify.grants import PATH
from connectors.shopify.graphql import pause, throttled
from connectors.shopify.tokens import RefreshedTokens
from tests.shopify.bare_shop import bare_sandbox

URL = "https://toys.myshopify.com"
SHOP = "/admin/api/2026-10/shop.json"


@pytest.fixture
def settings(tmp_path: Path) -> ShopSettings:
    return ShopSettings(
        "us",
        "shopify",
        url=URL,
        client_id=SHOPIFY_CLIENT_ID,
        client_secret=SHOPIFY_CLIENT_SECRET,
        refresh_token=SHOPIFY_REFRESH_TOKEN,
        state=tmp_path / "state",
    )


class Shopify:
    """Grants pairs a1 r1, a2 r2, ...; a refresh token stays good until its successor is used."""

    def __init__(self, web: Any) -> None:
        self.given = 0
        self.good = [SHOPIFY_REFRESH_TOKEN]
        self.refused: set[str] = set()
        self.used: list[str] = []
        self.told: dict[str, Any] = {"expires_in": 3600}
        web.add_callback("POST", f"{URL}{PATH}", callback=self._grant)
        web.add_callback("GET", f"{URL}{SHOP}", callback=self._shop)

    def _grant(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        asked = json.loads(request.body or "{}")
        assert asked["grant_type"] == "refresh_token"
        assert asked["client_secret"] == SHOPIFY_CLIENT_SECRET
        if asked["refresh_token"] not in self.good:
            return 400, {}, json.dumps({"error": "invalid_grant"})
        self.given += 1
        self.good = [asked["refresh_token"], f"r{self.given}"]
        pair = {"access_token": f"a{self.given}", "refresh_token": f"r{self.given}"}
        return 200, {}, json.dumps(pair | self.told)

    def _shop(self, request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        token = str(request.headers["X-Shopify-Access-Token"])
        self.used.append(token)
        wrong = token in self.refused or token != f"a{self.given}"
        return 401 if wrong else 200, {}, json.dumps({"errors": "no"} if wrong else {"shop": {}})


@pytest.fixture
def shopify(web: Any) -> Shopify:
    return Shopify(web)


def door(settings: ShopSettings) -> Http:
    return open_http(settings, throttled, pause)


def kept(settings: ShopSettings) -> Any:
    return json.loads((settings.state / "us.tokens.json").read_text())


def test_one_pair_serves_many_requests_and_the_next_process(
    shopify: Shopify, settings: ShopSettings
) -> None:
    first = door(settings)
    for _ in range(3):
        first.get(SHOP)
    door(settings).get(SHOP)
    assert (shopify.given, shopify.used) == (1, ["a1"] * 4)


def test_the_pair_is_kept_for_its_owner_alone(shopify: Shopify, settings: ShopSettings) -> None:
    door(settings).get(SHOP)
    modes = {file.name: file.stat().st_mode & 0o777 for file in settings.state.iterdir()}
    assert modes == {"us.tokens.json": 0o600, "us.tokens.json.lock": 0o600}
    assert settings.state.stat().st_mode & 0o777 == 0o700


def test_a_pair_is_on_the_disk_before_it_is_used(
    shopify: Shopify, settings: ShopSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(request: PreparedRequest) -> Any:
        assert kept(settings)["access_token"] == request.headers["X-Shopify-Access-Token"]
        return Shopify._shop(shopify, request)

    monkeypatch.setattr(shopify, "_shop", looked)
    door(settings).get(SHOP)
    assert shopify.given == 1


def test_a_token_is_renewed_five_minutes_before_it_ends(
    shopify: Shopify, settings: ShopSettings
) -> None:
    now = [1_764_000_000.0]
    signing = RefreshedTokens(settings, Http(URL, shop="us"), clock=lambda: now[0])
    for seconds, token in ((0, "a1"), (3299, "a1"), (3300, "a2"), (6599, "a2"), (6601, "a3")):
        now[0] = 1_764_000_000 + seconds
        request = PreparedRequest()
        request.prepare("GET", URL)
        assert signing(request).headers["X-Shopify-Access-Token"] == token


def test_a_token_that_the_shop_refuses_is_renewed_once(
    shopify: Shopify, settings: ShopSettings
) -> None:
    at = door(settings)
    at.get(SHOP)
    shopify.refused = {"a1"}
    at.get(SHOP)
    assert shopify.used == ["a1", "a1", "a2"]
    shopify.refused = {"a2", "a3", "a4"}
    with pytest.raises(AuthenticationError):
        at.get(SHOP)
    assert shopify.used[3:] == ["a2", "a3"]


def test_what_another_process_got_meanwhile_is_taken_up(
    shopify: Shopify, settings: ShopSettings
) -> None:
    one, other = door(settings), door(settings)
    one.get(SHOP)
    other.get(SHOP)
    shopify.refused = {"a1"}
    other.get(SHOP)
    one.get(SHOP)  # its a1 is refused: a2 stands in the file
    assert shopify.given == 2


@pytest.mark.parametrize("dies_at", ["the pair is written", "the answer is on its way"])
def test_a_pair_that_never_got_onto_the_disk_is_asked_for_again(
    shopify: Shopify, settings: ShopSettings, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> Any:
        raise Killed

    def lost(*asked: Any, **more: Any) -> Any:
        granted(*asked, **more)
        raise Killed

    door(settings).get(SHOP)
    shopify.refused = {"a1"}
    granted = tokens.granted
    with monkeypatch.context() as dying:
        if dies_at == "the pair is written":
            dying.setattr(tokens, "written_whole", killed)
        else:
            dying.setattr(tokens, "granted", lost)
        at = door(settings)
        with pytest.raises(Killed):
            at.get(SHOP)
    assert shopify.given == 2
    settled = door(settings)
    settled.get(SHOP)
    assert (shopify.given, kept(settings)["refresh_token"]) == (3, "r3")


def test_a_full_disk_is_told_and_loses_nothing(
    shopify: Shopify, settings: ShopSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as without_room:
        without_room.setattr(tokens, "written_whole", full)
        with pytest.raises(StoreError, match="No space left") as caught:
            door(settings).get(SHOP)
    assert "a1" not in str(caught.value)
    door(settings).get(SHOP)
    assert kept(settings)["access_token"] == "a2"


def test_a_refresh_token_that_is_dead_names_the_cause_and_the_mend(
    shopify: Shopify, settings: ShopSettings
) -> None:
    with pytest.raises(AuthenticationError, match="90 days") as caught:
        door(replace(settings, refresh_token="dead")).get(SHOP)
    assert "CLV_US_REFRESH_TOKEN" in caught.value.mend
    assert "dead" not in str(caught.value)


def test_another_refresh_token_in_the_settings_begins_anew(
    shopify: Shopify, settings: ShopSettings
) -> None:
    door(settings).get(SHOP)
    shopify.good = ["authorized anew"]
    door(replace(settings, refresh_token="authorized anew")).get(SHOP)
    assert kept(settings)["refresh_token"] == "r2"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"access_token": "a"}', "\xff"])
def test_a_damaged_file_is_named_and_nothing_is_guessed(
    shopify: Shopify, settings: ShopSettings, text: str
) -> None:
    settings.state.mkdir()
    (settings.state / "us.tokens.json").write_text(text, encoding="latin-1")
    with pytest.raises(ConfigurationError, match=r"us\.tokens\.json"):
        door(settings).get(SHOP)
    assert shopify.given == 0


def test_an_answer_that_does_not_say_how_long_counts_as_an_hour(
    shopify: Shopify, settings: ShopSettings
) -> None:
    shopify.told = {}
    at = door(settings)
    at.get(SHOP)
    at.get(SHOP)
    assert shopify.given == 1


def test_a_process_that_hangs_over_the_renewal_stops_no_one_for_ever(
    shopify: Shopify, settings: ShopSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(tokens, "OTHERS_RENEWAL", 0.05)
    settings.state.mkdir()
    with (
        FileLock(settings.state / "us.tokens.json.lock"),
        pytest.raises(ShopUnavailable, match="another process"),
    ):
        door(settings).get(SHOP)


# ------------------------------------------------------------------- against the practice shop


def _ask(url: str, state: Path, times: int) -> None:
    settings = ShopSettings(
        "us",
        "shopify",
        url=url,
        client_id=SHOPIFY_CLIENT_ID,
        client_secret=SHOPIFY_CLIENT_SECRET,
        refresh_token=SHOPIFY_REFRESH_TOKEN,
        state=state,
    )
    for _ in range(times):
        open_http(settings, throttled, pause).get(SHOP)


@pytest.mark.end_to_end
def test_processes_that_renew_at_once_never_lose_the_pair(tmp_path: Path) -> None:
    """Whoever comes second takes what is there."""
    with bare_sandbox() as running:
        configure(running.books, "us", static_token=False)
        spawn = multiprocessing.get_context("spawn")
        asking = [
            spawn.Process(target=_ask, args=(f"{running.url}/us", tmp_path / "state", 5))
            for _ in range(2)
        ]
        for process in asking:
            process.start()
        for process in asking:
            process.join(60)
        assert [process.exitcode for process in asking] == [0, 0]
        grants = [row for row in running.books.journal() if row["path"].endswith(PATH)]
    assert len(grants) == 1
