"""What a Magento of the sandbox can be told to be like: each switch does what it says."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books, utc_now
from connectors.sandbox.faults import Fault, FaultPlan, late
from connectors.sandbox.magento.scenes import drop_attribute, spread_ids
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.server import Sandbox

HEADERS = {"authorization": f"Bearer {MAGENTO_TOKEN}", "content-type": "application/json"}
ORDERS = "/eu/rest/all/V1/orders"
ALL = f"{ORDERS}?searchCriteria[pageSize]=0"


@pytest.fixture
def get(ask: Any) -> Any:
    return lambda path: ask(path, headers=HEADERS)


def ids(answer: Any) -> list[int]:
    return [row["entity_id"] for row in answer.json()["items"]]


def someone(books: Books) -> int:
    """A customer with a whole address."""
    sql = "SELECT id FROM customers WHERE shop = 'eu' AND extra LIKE '%telephone\": \"0%'"
    return int(books.query(sql.replace('"0%', '"_%'))[0]["id"])


def test_there_is_no_switch_for_everything(books: Books) -> None:
    with pytest.raises(TypeError):
        configure(books, "eu", modul=True)


def test_switches_can_be_set_from_outside(ask: Any, get: Any) -> None:
    body = {"shop": "eu", "setup": {"maintenance": True}}
    assert ask("/_control/setup", "POST", {}, body).status == 200
    assert get(ALL).status == 503
    body = {"shop": "eu", "setup": {"maintenence": False}}
    assert ask("/_control/setup", "POST", {}, body).status == 400


def test_with_bearer_off_a_good_token_gets_the_answer_of_a_bad_one(get: Any, books: Books) -> None:
    configure(books, "eu", bearer=False)
    answer = get(ALL)
    assert answer.status == 401
    assert answer.json() == {
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": {"resources": "Magento_Sales::actions_view"},
    }


def test_maintenance_is_a_page_for_people(get: Any, books: Books) -> None:
    configure(books, "eu", maintenance=True)
    answer = get(ALL)
    assert answer.status == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "maintenance downtime" in answer.text


@pytest.mark.parametrize("off", [0, 3600, -7200])
def test_the_date_header_is_as_far_off_as_the_clock(off: int, get: Any, books: Books) -> None:
    configure(books, "eu", clock_offset_seconds=off)
    told = parsedate_to_datetime(get(ALL).headers["date"])
    assert abs((told - utc_now()).total_seconds() - off) < 30


def test_2_3_shows_its_last_page_again_and_again(get: Any, books: Books) -> None:
    past = f"{ORDERS}?searchCriteria[pageSize]=7&searchCriteria[currentPage]=100000"
    assert ids(get(past)) == []
    configure(books, "eu", version="2.3.7")
    assert ids(get(past)) == ids(get(past.replace("100000", "100001"))) != []


def test_a_broken_order_breaks_each_page_it_is_on_and_no_other(get: Any, books: Books) -> None:
    every = ids(get(ALL))
    configure(books, "eu", broken_orders=[every[5]], module=True)
    assert get(ALL).status == 500
    assert get(f"{ORDERS}/{every[5]}").status == 500
    assert get(f"{ORDERS}/{every[6]}").status == 200
    below = f"&searchCriteria[filter_groups][0][filters][0][value]={every[5]}"
    below += "&searchCriteria[filter_groups][0][filters][0][field]=entity_id"
    below += "&searchCriteria[filter_groups][0][filters][0][condition_type]=lt"
    assert ids(get(ALL + below)) == every[:5]
    lean = get("/eu/rest/V1/clv/orders?limit=5000").json()["items"]
    assert [row["entity_id"] for row in lean] == every


def test_2_4_8_shows_other_row_totals_and_the_same_sums(get: Any, books: Books) -> None:
    before = get(ALL).json()["items"]
    configure(books, "eu", version="2.4.8-p2")
    after = get(ALL).json()["items"]
    totals = [[item["base_row_total"] for o in rows for item in o["items"]]
              for rows in (before, after)]  # fmt: skip
    assert totals[0] != totals[1]
    assert [o["base_grand_total"] for o in before] == [o["base_grand_total"] for o in after]


def test_a_website_can_reckon_in_a_currency_of_its_own(get: Any, books: Books) -> None:
    configure(books, "eu", currencies={"2": ["GBP", "1.2"]})
    told = {
        (o["store_id"] == 4, o["base_currency_code"], o["base_to_global_rate"])
        for o in get(ALL).json()["items"]
    }
    assert told == {(True, "GBP", 1.2), (False, "EUR", 1)}
    configs = get("/eu/rest/V1/store/storeConfigs").json()
    assert {c["id"]: c["base_currency_code"] for c in configs} == {
        1: "EUR", 2: "EUR", 3: "EUR", 4: "GBP"
    }  # fmt: skip


# ---------------------------------------------------------------------------- saving customers


def tier() -> dict[str, Any]:
    return {"custom_attributes": [{"attribute_code": "clv_tier", "value": "high"}]}


def put(ask: Any, customer_id: int, customer: dict[str, Any]) -> Any:
    path = f"/eu/rest/all/V1/customers/{customer_id}"
    return ask(path, "PUT", HEADERS, {"customer": customer})


def test_saving_stored_addresses_resets_the_group_unless_told_otherwise(
    ask: Any, books: Books
) -> None:
    who = someone(books)
    configure(books, "eu", vat_resets_group=True)
    kept = put(ask, who, {**tier(), "group_id": 2, "disable_auto_group_change": 1}).json()
    assert (kept["group_id"], kept["disable_auto_group_change"]) == (2, 1)
    assert put(ask, who, {"disable_auto_group_change": 0}).json()["group_id"] == 1
    configure(books, "eu", vat_resets_group=False)
    assert put(ask, who, {"group_id": 2}).json()["group_id"] == 2


def test_an_unknown_group_is_refused(ask: Any, books: Books, get: Any) -> None:
    groups = get("/eu/rest/V1/customerGroups/search?searchCriteria[pageSize]=50").json()["items"]
    assert [group["id"] for group in groups] == [0, 1, 2, 3]
    answer = put(ask, someone(books), {"group_id": 9})
    assert answer.status == 400


def test_required_attributes_have_to_come_along(ask: Any, books: Books) -> None:
    who = someone(books)
    configure(books, "eu", required_attributes=["erp_number"])
    answer = put(ask, who, tier())
    assert (answer.status, answer.json()) == (
        400, {"message": '"ERP number" is a required value.'}
    )  # fmt: skip
    both = tier()
    both["custom_attributes"].append({"attribute_code": "erp_number", "value": "E-1"})
    assert put(ask, who, both).status == 200
    metadata = ask("/eu/rest/V1/attributeMetadata/customer/custom", headers=HEADERS).json()
    assert [one["attribute_code"] for one in metadata if one["required"]] == ["erp_number"]


def test_a_refusing_customer_refuses_every_time(ask: Any, books: Books) -> None:
    configure(books, "eu", refuse_percent=100)
    answers = [put(ask, someone(books), tier()) for _ in range(2)]
    assert [answer.status for answer in answers] == [400, 400]


# -------------------------------------------------------------------------------------- scenes


def test_ids_can_be_far_apart(get: Any, books: Books) -> None:
    before, memos = ids(get(ALL)), get(ALL.replace("orders", "creditmemos")).json()["items"]
    spread_ids(books, "eu", 40)
    assert ids(get(ALL)) == [40 * one for one in before]
    after = get(ALL.replace("orders", "creditmemos")).json()["items"]
    assert [m["order_id"] for m in after] == [40 * m["order_id"] for m in memos]


def test_an_attribute_can_be_missing(ask: Any, get: Any, books: Books) -> None:
    drop_attribute(books, "eu", "clv_tier")
    path = "/eu/rest/V1/attributeMetadata/customer/custom"
    assert "clv_tier" not in {one["attribute_code"] for one in get(path).json()}
    assert put(ask, someone(books), tier()).status == 200


def test_a_late_commit_has_an_old_time_and_an_id_below_the_newest(get: Any, books: Books) -> None:
    before = set(ids(get(ALL)))
    late(books, "eu", 180, FaultPlan().rng)
    (fresh,) = [row for row in get(ALL).json()["items"] if row["entity_id"] not in before]
    assert fresh["entity_id"] < max(before)
    assert fresh["created_at"] == fresh["updated_at"] == "2026-11-20 11:57:00"


# ------------------------------------------------------------------- journal and faults, as ever


@pytest.mark.end_to_end
def test_new_routes_are_journaled_and_met_by_faults(sandbox: Sandbox) -> None:
    configure(sandbox.books, "eu", module=True)
    lean, bulk = "/rest/V1/clv/customers", "/rest/async/bulk/V1/customers/byCustomerId"
    sandbox.faults.set(
        [
            Fault("status", path="/clv/orders", status=429, retry_after="7"),
            Fault("late", path="/V1/orders", seconds=60),
        ]
    )
    url = f"{sandbox.url}/eu"
    met = requests.get(f"{url}/rest/V1/clv/orders?limit=1", headers=HEADERS, timeout=60)
    assert (met.status_code, met.headers["retry-after"]) == (429, "7")
    before = sandbox.books.scalar("SELECT COUNT(*) FROM orders WHERE shop = 'eu'")
    page = requests.get(f"{sandbox.url}{ALL}", headers=HEADERS, timeout=60).json()
    assert page["total_count"] == before + 1
    rows = {"rows": [{"customer_id": 1, "values": [{"code": "clv_tier", "value": "high"}]}]}
    requests.post(f"{url}{lean}", headers=HEADERS, json=rows, timeout=60)
    requests.put(f"{url}{bulk}", headers=HEADERS, json=[], timeout=60)
    assert [line["path"] for line in sandbox.books.journal()][-2:] == [f"/eu{lean}", f"/eu{bulk}"]
    assert sandbox.mutations()["eu"] == 2
