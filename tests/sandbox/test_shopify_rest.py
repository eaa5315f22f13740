"""Orders over REST: who may ask, what comes without asking for more, and how pages follow."""

from __future__ import annotations

import json

import pytest
from shopify_door import API, Door

from connectors.sandbox import SHOPIFY_CLIENT_ID, SHOPIFY_CLIENT_SECRET
from connectors.sandbox.books import Books

STATES = ["open", "paid", "complete", "cancelled", "refunded"]
GRANT = "/us/admin/oauth/access_token"


@pytest.fixture
def door(tiny: Books) -> Door:
    return Door(tiny)


@pytest.fixture
def crowded(tiny: Books) -> Door:
    """A shop of 60 open orders, all with the same `updated_at`, ten minutes apart by creation."""
    row = tiny.order("us", 102)
    assert row is not None
    tiny.execute("DELETE FROM orders")
    row["body"]["state"] = "open"
    tiny.insert(
        "orders",
        [
            {**row, "id": 1000 + n, "created_at": f"2026-02-01 {n // 6:02}:{n % 6}0:00"}
            for n in range(60)
        ],
    )
    return Door(tiny)


def ids(orders: list[dict[str, object]]) -> list[object]:
    return [order["id"] for order in orders]


# ------------------------------------------------------------------ who may ask


def test_a_wrong_token_gets_the_real_401(tiny: Books) -> None:
    reply = Door(tiny, token="shpat_wrong").get("/orders.json")
    assert reply.status == 401
    told = "[API] Invalid API key or access token (unrecognized login or wrong password)"
    assert reply.json == {"errors": told}


def test_graphql_needs_the_token_too(tiny: Books) -> None:
    reply = Door(tiny, token="").send(
        "POST", f"/us{API}/graphql.json", "", b'{"query": "{shop{id}}"}'
    )
    assert reply.status == 401


def test_the_client_credentials_grant_gives_a_token_that_opens_the_shop(door: Door) -> None:
    asked = {
        "grant_type": "client_credentials",
        "client_id": SHOPIFY_CLIENT_ID,
        "client_secret": SHOPIFY_CLIENT_SECRET,
    }
    granted = door.send("POST", GRANT, "", json.dumps(asked).encode()).json
    assert granted["expires_in"] == 86399
    assert granted["scope"] == "read_orders,read_all_orders,read_customers,write_customers"
    door.token = granted["access_token"]
    assert door.get("/shop.json").status == 200
    door.seconds = 86_400
    assert door.get("/shop.json").status == 401


def test_the_grant_also_takes_a_form(door: Door) -> None:
    form = f"grant_type=client_credentials&client_id={SHOPIFY_CLIENT_ID}"
    sent = f"{form}&client_secret={SHOPIFY_CLIENT_SECRET}".encode()
    assert door.send("POST", GRANT, "", sent).status == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
    ],
)
def test_a_wrong_grant_is_refused(door: Door, changed: dict[str, str], error: str) -> None:
    asked = {
        "grant_type": "client_credentials",
        "client_id": SHOPIFY_CLIENT_ID,
        "client_secret": SHOPIFY_CLIENT_SECRET,
        **changed,
    }
    reply = door.send("POST", GRANT, "", json.dumps(asked).encode())
    assert reply.status == 400
    assert reply.json["error"] == error


def test_the_scopes_are_listed(door: Door) -> None:
    listed = door.get("/us/admin/oauth/access_scopes.json").json["access_scopes"]
    assert {"handle": "read_all_orders"} in listed


def test_without_read_orders_orders_are_forbidden(door: Door) -> None:
    door.settings(scopes=["read_customers"])
    assert door.get("/orders.json").status == 403


def test_without_read_all_orders_old_orders_are_silently_missing(door: Door) -> None:
    door.settings(scopes=["read_orders"])
    assert door.orders(status="any") == []
    assert door.get("/orders/count.json", status="any").json == {"count": 0}
    assert door.get("/orders/101.json").status == 404


def test_an_unknown_version_falls_forward_and_says_so(door: Door) -> None:
    reply = door.get("/us/admin/api/2023-01/orders.json")
    assert reply.status == 200
    assert reply.headers["x-shopify-api-version"] == "2026-01"
    assert door.get("/orders.json").headers["x-shopify-api-version"] == "2026-10"


def test_every_answer_carries_a_request_id_of_its_own(door: Door) -> None:
    assert len({door.get("/shop.json").headers["x-request-id"] for _ in range(3)}) == 3


def test_an_unknown_address_is_a_404_in_json(door: Door) -> None:
    reply = door.get("/products.json")
    assert (reply.status, reply.json) == (404, {"errors": "Not Found"})


# ------------------------------------------------------------------ limits


def test_the_bucket_fills_leaks_and_overflows_with_429(door: Door) -> None:
    door.settings(rest_bucket=3, rest_leak=2)
    levels = [door.get("/shop.json").headers["x-shopify-shop-api-call-limit"] for _ in range(3)]
    assert levels == ["1/3", "2/3", "3/3"]
    refused = door.get("/shop.json")
    assert refused.status == 429
    assert refused.headers["retry-after"] == "2.0"
    door.seconds += 0.5
    assert door.get("/shop.json").status == 200
    assert door.get("/shop.json").status == 429


def test_the_shop_is_on_plus_unless_its_settings_say_otherwise(door: Door) -> None:
    limit = "x-shopify-shop-api-call-limit"
    assert door.get("/shop.json").headers[limit].endswith("/400")
    door.settings(limits="standard")
    assert door.get("/shop.json").headers[limit].endswith("/40")


# ------------------------------------------------------------------ filters


def test_without_a_status_only_open_orders_come(door: Door) -> None:
    assert ids(door.orders()) == [103]
    assert sorted(ids(door.orders(status="any"))) == [101, 102, 103]
    assert door.get("/orders/count.json").json == {"count": 1}


@pytest.mark.parametrize(
    ("status", "states"),
    [
        ("open", ["open", "paid"]),
        ("closed", ["complete", "refunded"]),
        ("cancelled", ["cancelled"]),
        ("any", STATES),
    ],
)
def test_a_status_selects_its_states(crowded: Door, status: str, states: list[str]) -> None:
    for n, state in enumerate(STATES):
        changed = "UPDATE orders SET body = json_set(body, '$.state', ?) WHERE id % 5 = ?"
        crowded.books.execute(changed, (state, n))
    wanted = {STATES.index(state) for state in states}
    found = crowded.orders(status=status, limit=250, fields="id")
    assert {order["id"] % 5 for order in found} == wanted
    assert len(found) == 12 * len(states)


def test_since_id_gives_what_lies_behind_it_by_rising_id(crowded: Door) -> None:
    found = ids(crowded.orders(since_id=1041, limit=5))
    assert found == [1042, 1043, 1044, 1045, 1046]


def test_ids_select_orders(door: Door) -> None:
    assert sorted(ids(door.orders(ids="101,103", status="any"))) == [101, 103]


def test_instants_are_compared_with_their_offset(crowded: Door) -> None:
    start, end = "2026-02-01T04:00:00-05:00", "2026-02-01T09:20:00Z"
    found = crowded.orders(created_at_min=start, created_at_max=end)
    assert sorted(ids(found)) == [1054, 1055, 1056]


def test_an_instant_without_offset_is_in_the_shops_own_time(crowded: Door) -> None:
    crowded.settings(timezone="America/New_York")
    found = crowded.orders(created_at_min="2026-02-01T04:30:00")
    assert sorted(ids(found)) == [1057, 1058, 1059]


@pytest.mark.parametrize(
    ("order", "first"),
    [("id asc", 1000), ("id desc", 1059), ("created_at asc", 1000), ("updated_at desc", 1059)],
)
def test_the_order_can_be_chosen(crowded: Door, order: str, first: int) -> None:
    assert ids(crowded.orders(order=order, limit=1)) == [first]


def test_fields_leave_the_others_out(door: Door) -> None:
    assert door.orders(fields="id,name") == [{"id": 103, "name": "#1003"}]
    assert door.get("/orders/101.json", fields="id").json == {"order": {"id": 101}}


@pytest.mark.parametrize(
    "params",
    [
        {"status": "paid"},
        {"since_id": "x"},
        {"limit": "many"},
        {"updated_at_min": "soon"},
        {"order": "name asc"},
        {"financial_status": "paid"},
    ],
    ids=lambda params: next(iter(params)),
)
def test_what_can_not_be_served_is_refused_by_name(door: Door, params: dict[str, str]) -> None:
    reply = door.get("/orders.json", **params)
    assert reply.status == 400
    assert list(reply.json["errors"]) == list(params)


# ------------------------------------------------------------------ pages


def test_a_page_has_50_orders_and_never_more_than_250(crowded: Door) -> None:
    assert len(crowded.orders()) == 50
    row = crowded.books.order("us", 1000)
    assert row is not None
    crowded.books.insert("orders", [{**row, "id": 5000 + n} for n in range(300)])
    assert len(crowded.orders(limit=1000, fields="id")) == 250


@pytest.mark.parametrize(
    "params", [{"since_id": 0}, {"order": "updated_at asc"}, {"order": "created_at desc"}, {}]
)
def test_the_links_lead_through_all_orders_and_back(
    crowded: Door, params: dict[str, object]
) -> None:
    reply = crowded.get("/orders.json", limit=7, **params)
    pages = [reply]
    while link := pages[-1].link("next"):
        pages.append(crowded.get(link))
    found = [ids(page.json["orders"]) for page in pages]
    assert sorted(n for page in found for n in page) == list(range(1000, 1060))
    assert [len(page) for page in found] == [7] * 8 + [4]
    assert pages[0].link("previous") is None
    back = [pages[-1]]
    while link := back[-1].link("previous"):
        back.append(crowded.get(link))
    assert [ids(page.json["orders"]) for page in reversed(back)] == found


def test_a_page_info_carries_the_filters_and_the_fields(crowded: Door) -> None:
    reply = crowded.get("/orders.json", limit=2, since_id=1050, fields="id")
    following = crowded.get(reply.link("next") or "")
    assert following.json["orders"] == [{"id": 1053}, {"id": 1054}]


def test_orders_that_come_in_between_move_no_page(crowded: Door) -> None:
    reply = crowded.get("/orders.json", limit=30, order="created_at desc")
    row = crowded.books.order("us", 1000)
    assert row is not None
    crowded.books.insert("orders", [{**row, "id": 9000, "created_at": "2026-03-01 00:00:00"}])
    found = ids(reply.json["orders"]) + ids(crowded.get(reply.link("next") or "").json["orders"])
    assert sorted(found) == list(range(1000, 1060))


@pytest.mark.parametrize("name", ["status", "updated_at_min", "since_id", "order", "ids"])
def test_beside_a_page_info_only_limit_and_fields_are_allowed(crowded: Door, name: str) -> None:
    link = crowded.get("/orders.json", limit=2).link("next") or ""
    reply = crowded.get(f"{link}&{name}=1")
    told = f"{name} cannot be passed when page_info is present. "
    told += "See https://shopify.dev/api/usage/pagination-rest for more information."
    assert (reply.status, reply.json) == (400, {"errors": {name: told}})
    assert crowded.get(f"{link}&fields=id").status == 200


def test_a_forged_page_info_is_refused(door: Door) -> None:
    reply = door.get("/orders.json", page_info="bm9uc2Vuc2U=")
    assert (reply.status, reply.json) == (400, {"errors": {"page_info": "Invalid value."}})


# ------------------------------------------------------------------ single ones


def test_one_order_and_its_refunds_have_their_own_addresses(door: Door) -> None:
    order = door.get("/orders/101.json").json["order"]
    assert order["id"] == 101
    assert door.get("/orders/101/refunds.json").json == {"refunds": order["refunds"]}
    assert door.get("/orders/102/refunds.json").json == {"refunds": []}
    assert door.get("/orders/999.json").json == {"errors": "Not Found"}
