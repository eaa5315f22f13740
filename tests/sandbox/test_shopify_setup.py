"""What a Shopify of the sandbox can be told to be like: each switch does what it says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.sandbox import (
    SHOPIFY_CLIENT_ID,
    SHOPIFY_CLIENT_SECRET,
    SHOPIFY_REFRESH_TOKEN,
    SHOPIFY_TOKEN,
)
from connectors.sandbox.books import Books
from connectors.sandbox.shopify.scenes import (
    age_orders,
    delete_order,
    merge_customers,
    tag_everybody,
)
from connectors.sandbox.shopify.setup import configure
from tests.sandbox.conftest import NOW
from tests.sandbox.shopify_door import API, Door, Reply
from tests.sandbox.test_shopify_bulk import begun, fetched, polled, rows

SHOP = "{ shop { id } currentAppInstallation { id } }"
ADD = """mutation($id: ID!) { tagsAdd(id: $id, tags: ["clv-high"]) { userErrors { message } } }"""
COUNT = "{ ordersCount(limit: null) { count precision } }"
OWN = '{ customer(id: "gid://shopify/Customer/12") { orders(first: 9) { nodes { id } } } }'
ADA = "gid://shopify/Customer/11"


@pytest.fixture
def door(tiny: Books) -> Door:
    return Door(tiny)


def test_switches_can_be_set_from_outside(ask: Any) -> None:
    def set_(**setup: Any) -> int:
        return int(ask("/_control/setup", "POST", {}, {"shop": "us", "setup": setup}).status)

    headers = {"x-shopify-access-token": SHOPIFY_TOKEN}
    assert set_(static_token=False) == 200
    assert ask(f"/us{API}/shop.json", headers=headers).status == 401
    assert set_(static_tocen=True) == 400
    assert set_(bulk_ends=["BURNT"]) == 400


# ---------------------------------------------------------------------------- calls that go wrong


def test_a_share_of_calls_is_throttled_with_room_left_and_nothing_done(door: Door) -> None:
    configure(door.books, "us", throttled=0.5)
    answers = [door.gql(ADD, id=ADA) for _ in range(20)]
    refused = [a for a in answers if "errors" in a]
    assert 0 < len(refused) < 20
    for answer in refused:
        assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] > 10
        assert "data" not in answer
    door = Door(door.books)
    door.books.drop_tag("us", 11, "clv-high")
    configure(door.books, "us", throttled=1.0)
    door.gql(ADD, id=ADA)
    assert "clv-high" not in door.books.tags_of("us", [11])[11]


def test_partial_errors_stand_beside_data_and_writes_were_done(door: Door) -> None:
    configure(door.books, "us", partial=1.0)
    answer = door.gql(ADD, id=ADA)
    assert answer["data"] == {"tagsAdd": None}
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["tagsAdd"], "INTERNAL_SERVER_ERROR")
    assert "clv-high" in door.books.tags_of("us", [11])[11]
    assert door.gql(SHOP)["data"] is None


def test_a_plan_has_its_own_bucket(door: Door) -> None:
    def available() -> tuple[int, int]:
        status = door.gql(SHOP)["extensions"]["cost"]["throttleStatus"]
        return status["maximumAvailable"], status["restoreRate"]

    assert available() == (20_000, 1_000)
    configure(door.books, "us", limits="standard")
    assert available() == (2_000, 100)
    configure(door.books, "us", graphql_restore=50)
    assert available() == (2_000, 50)


def test_another_version_may_answer(door: Door) -> None:
    assert door.get("/shop.json").headers["x-shopify-api-version"] == "2026-10"
    configure(door.books, "us", served_version="2026-01")
    assert door.get("/shop.json").headers["x-shopify-api-version"] == "2026-01"


# ---------------------------------------------------------------------------- tokens


def granted(door: Door, **asked: str) -> Reply:
    form = {"client_id": SHOPIFY_CLIENT_ID, "client_secret": SHOPIFY_CLIENT_SECRET, **asked}
    text = "&".join(f"{name}={value}" for name, value in form.items())
    return door.send("POST", "/us/admin/oauth/access_token", "", text.encode())


def refreshed(door: Door, token: str) -> Reply:
    return granted(door, grant_type="refresh_token", refresh_token=token)


def test_an_expired_secret_is_refused(door: Door) -> None:
    configure(door.books, "us", secret_expired=True)
    reply = granted(door, grant_type="client_credentials")
    assert (reply.status, reply.json["error"]) == (400, "invalid_client")


def test_each_refresh_brings_a_new_pair_and_ends_the_token_before(door: Door) -> None:
    first = refreshed(door, SHOPIFY_REFRESH_TOKEN).json
    assert (first["expires_in"], first["refresh_token_expires_in"]) == (3600, 90 * 86_400)
    door.token = first["access_token"]
    assert door.get("/shop.json").status == 200
    second = refreshed(door, first["refresh_token"]).json
    assert door.get("/shop.json").status == 401
    door.token = second["access_token"]
    assert door.get("/shop.json").status == 200
    door.seconds += 3600
    assert door.get("/shop.json").status == 401


def test_a_refresh_token_is_good_until_its_successor_is_used(door: Door) -> None:
    lost = refreshed(door, SHOPIFY_REFRESH_TOKEN).json
    again = refreshed(door, SHOPIFY_REFRESH_TOKEN).json
    assert refreshed(door, again["refresh_token"]).status == 200
    for stale in (SHOPIFY_REFRESH_TOKEN, lost["refresh_token"]):
        reply = refreshed(door, stale)
        assert (reply.status, reply.json["error"]) == (400, "invalid_grant")


# ---------------------------------------------------------------------------- sixty days


def test_without_read_all_orders_older_ones_are_nowhere(door: Door) -> None:
    recent = NOW - timedelta(days=59)
    sql = "UPDATE orders SET created_at = ? WHERE shop = 'us' AND id = 101"
    door.books.execute(sql, (f"{recent:%Y-%m-%d %H:%M:%S}",))

    def seen() -> list[object]:
        listed = door.gql("{ orders(first: 9) { nodes { id } } }")["data"]["orders"]["nodes"]
        query = (
            '{ customer(id: "gid://shopify/Customer/12") { orders(first: 9) { nodes { id } } } }'
        )
        own = door.gql(query)["data"]["customer"]["orders"]["nodes"]
        one = door.gql('{ order(id: "gid://shopify/Order/102") { id } }')["data"]["order"]
        done = polled(door, begun(door, "{ orders { edges { node { id } } } }"))
        bulk = rows(fetched(door, done["url"]))
        rest = door.get("/orders.json", status="any").json["orders"]
        count = door.get("/orders/count.json", status="any").json["count"]
        whole = door.gql(COUNT)["data"]["ordersCount"]["count"]
        return [len(listed), len(own), one is None, len(bulk), len(rest), count, whole]

    assert seen() == [3, 1, False, 3, 3, 3, 3]
    configure(door.books, "us", scopes=["read_orders", "read_customers"])
    assert seen() == [1, 0, True, 1, 1, 1, 1]


def test_counts_are_exact_without_a_limit(door: Door) -> None:
    assert door.gql(COUNT)["data"]["ordersCount"] == {"count": 3, "precision": "EXACT"}
    few = '{ ordersCount(limit: 2, query: "created_at:>=2020-01-01") { count precision } }'
    assert door.gql(few)["data"]["ordersCount"] == {"count": 2, "precision": "AT_LEAST"}
    wrong = door.gql('{ ordersCount(query: "placed_at:>2020-01-01") { count } }')
    assert wrong["data"]["ordersCount"]["count"] == 3
    assert wrong["extensions"]["search"][0]["warnings"][0]["code"] == "invalid_field"


# ---------------------------------------------------------------------------- scenes


def test_orders_go_people_become_one_and_tags_pile_up(door: Door) -> None:
    delete_order(door.books, "us", 101)
    assert door.get("/orders/101.json").status == 404
    merge_customers(door.books, "us", 12, 11)
    assert door.gql('{ customer(id: "gid://shopify/Customer/11") { id } }')["data"] == {
        "customer": None
    }
    assert door.books.tags_of("us", [12]) == {12: ["VIP"]}
    door.books.insert(
        "customers", [{**door.books.customer("us", 12), "id": n} for n in range(20, 30)]  # type: ignore[dict-item]
    )  # fmt: skip
    tag_everybody(door.books, "us", 4)
    tags = door.books.tags_of("us", range(20, 30))
    assert {len(found) for found in tags.values()} == {0, 1, 2, 3, 4}
    age_orders(door.books, "us", 30)
    assert door.books.order("us", 102)["created_at"] == "2025-12-02 10:00:00"  # type: ignore[index]
