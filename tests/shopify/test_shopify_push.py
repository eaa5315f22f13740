from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import AuthenticationError, RequestRefused, ShopUnavailable
from connectors.schema import FIELDS, Change, Shown
from connectors.shopify import ShopifyShop
from connectors.shopify.documents import LARGEST_COST, MUTATION_COST
from connectors.shopify.push.standing import standing_of
from connectors.shopify.push.writes import rendered

OURS = frozenset({"clv-high", "clv-medium", "clv-low", "clv-new"})

HIGH: Shown = {
    "tier": "high",
    "predicted_12m": "77.25",
    "scored_at": "2026-11-22",
    "tag": "clv-high",
}
LOW: Shown = {"tier": "low", "predicted_12m": "3.50", "scored_at": "2026-10-01", "tag": "clv-low"}


def change(number: int, before: Shown, after: Shown) -> Change:
    return Change("toys", str(number), before, after)


def test_a_customer_gets_fields_of_the_right_type_and_one_tag(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("VIP",))
    (outcome,) = shop.push([change(1, {}, HIGH)])
    assert (outcome.status, outcome.shown) == ("applied", HIGH)
    (_, given), _ = toys.calls
    assert [(item["key"], item["type"], item["namespace"]) for item in given["metafields"]] == [
        ("tier", "single_line_text_field", "clv"),
        ("predicted_12m", "number_decimal", "clv"),
        ("scored_at", "date", "clv"),
    ]
    assert toys.customer(1)["tags"] == ["VIP", "clv-high"]


def test_only_what_differs_is_written(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("clv-high",), tier="high", predicted_12m="77.25", scored_at="2026-11-22")
    after = {**HIGH, "predicted_12m": "80.00"}
    (outcome,) = shop.push([change(1, HIGH, after)])
    assert outcome.status == "applied"
    ((name, given),) = toys.calls
    assert name == "metafieldsSet"
    assert [(item["key"], item["value"]) for item in given["metafields"]] == [
        ("predicted_12m", "80.00")
    ]


def test_the_old_tag_goes_before_the_new_one_comes(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("VIP", "CLV-Low"), tier="low", predicted_12m="3.50", scored_at="2026-10-01")
    (outcome,) = shop.push([change(1, LOW, HIGH)])
    assert outcome.status == "applied"
    tags = [(name, given["tags"]) for name, given in toys.calls if name.startswith("tags")]
    assert tags == [("tagsRemove", ["CLV-Low"]), ("tagsAdd", ["clv-high"])]


def test_who_shows_it_already_is_applied_without_a_write(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("clv-high",), tier="high", predicted_12m="77.250", scored_at="2026-11-22")
    (outcome,) = shop.push([change(1, LOW, HIGH)])
    assert (outcome.status, outcome.shown) == ("applied", HIGH)
    assert not toys.calls
    assert len(toys.requests) == 1


def test_who_was_changed_by_somebody_else_is_left_alone(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("clv-low",), tier="gold")
    (outcome,) = shop.push([change(1, LOW, HIGH)])
    assert outcome.status == "conflict"
    assert outcome.shown == {"tier": "gold", "tag": "clv-low"}
    assert not toys.calls


def test_an_edit_between_our_reading_and_writing_is_a_conflict(
    shop: ShopifyShop, toys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.add(1, tier="low")
    write = toys._metafieldsSet

    def edited_first(metafields: Any) -> Any:
        toys.customer(1)["fields"]["tier"] = "gold"
        return write(metafields)

    monkeypatch.setattr(toys, "_metafieldsSet", edited_first)
    (outcome,) = shop.push([change(1, {"tier": "low"}, {"tier": "high"})])
    assert outcome.status == "conflict"
    assert toys.customer(1)["fields"]["tier"] == "gold"


def test_one_refusal_does_not_hold_back_the_others(shop: ShopifyShop, toys: Any) -> None:
    for number in range(1, 6):
        toys.add(number)
    toys.refused["gid://shopify/Customer/3"] = "Value is too long"
    outcomes = list(shop.push([change(number, {}, HIGH) for number in range(1, 6)]))
    assert [outcome.customer_id for outcome in outcomes] == ["1", "2", "3", "4", "5"]
    assert [outcome.status for outcome in outcomes] == ["applied"] * 2 + ["rejected"] + [
        "applied"
    ] * 2
    assert outcomes[2].reason == "Value is too long"


def test_a_tag_that_the_shop_drops_in_silence_is_found(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1)
    toys.dropped.add("clv-high")
    (outcome,) = shop.push([change(1, {}, HIGH)])
    assert outcome.status == "rejected"
    assert "does not show it: tag" in outcome.reason


def test_a_customer_who_is_gone_is_rejected(shop: ShopifyShop, toys: Any) -> None:
    toys.add(2)
    outcomes = list(shop.push([change(1, {}, HIGH), change(2, {}, HIGH)]))
    assert [outcome.status for outcome in outcomes] == ["rejected", "applied"]


def test_undo_brings_back_exactly_what_was_there(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("VIP", "clv-other"))
    toys.add(2, tags=("clv-low",), tier="low", predicted_12m="3.50", scored_at="2026-10-01")
    changes = [change(1, {}, HIGH), change(2, LOW, HIGH | {"reason": "bought twice"})]
    assert {outcome.status for outcome in shop.push(changes)} == {"applied"}
    undone = shop.push([one.reversed() for one in changes])
    assert {outcome.status for outcome in undone} == {"applied"}
    assert toys.customer(1) == {"tags": ["VIP", "clv-other"], "fields": {}}
    assert toys.customer(2) == {
        "tags": ["clv-low"],
        "fields": {"tier": "low", "predicted_12m": "3.50", "scored_at": "2026-10-01"},
    }


def test_a_lost_answer_has_no_double_effect(shop: ShopifyShop, toys: Any, waits: Any) -> None:
    toys.add(1, tags=("VIP",))
    toys.lost = True
    (outcome,) = shop.push([change(1, {}, HIGH)])
    assert outcome.status == "applied"
    assert set(toys.customer(1)["tags"]) == {"VIP", "clv-high"}
    assert len(waits) == 1


def test_a_tag_that_got_lost_with_an_answer_can_still_be_taken_back(
    shop: ShopifyShop, toys: Any
) -> None:
    """Sent again, our own fields are stale to the shop: that is nobody else's edit."""
    toys.add(1)
    toys.lost = True
    toys.dropped.add("clv-high")
    (outcome,) = shop.push([change(1, {}, HIGH)])
    assert outcome.status == "rejected"
    assert "does not show it: tag" in outcome.reason
    (undone,) = shop.push([change(1, HIGH, {})])
    assert undone.status == "applied"
    assert toys.customer(1) == {"tags": [], "fields": {}}


def test_throttled_waits_until_the_bucket_holds_enough(
    shop: ShopifyShop, toys: Any, waits: list[float]
) -> None:
    toys.add(1)
    toys.throttles = 2
    (outcome,) = shop.push([change(1, {}, HIGH)])
    assert outcome.status == "applied"
    assert waits == [5.0, 5.0]  # 962 points wanted, 462 there, 100 a second


def test_a_batch_beyond_the_cost_limit_is_sent_in_parts(shop: ShopifyShop, toys: Any) -> None:
    """The dearest case: every customer has fields set and removed, and the tag swapped."""
    after = {"tier": "high", "tag": "clv-high"}
    for number in range(1, 61):
        toys.add(number, tags=("clv-low",), tier="low", model="bgnbd")
    before = {"tier": "low", "model": "bgnbd", "tag": "clv-low"}
    outcomes = list(shop.push([change(number, before, after) for number in range(1, 61)]))
    assert {outcome.status for outcome in outcomes} == {"applied"}
    documents = [asked["query"] for asked in toys.requests if "mutation" in asked["query"]]
    calls = [document.count("userErrors") for document in documents]
    assert sum(calls) == 240
    assert max(calls) * MUTATION_COST <= LARGEST_COST


def test_foreign_fields_and_tags_are_refused_before_anything_is_sent(
    shop: ShopifyShop, toys: Any
) -> None:
    for number in (1, 2, 3):
        toys.add(number)
    changes = [
        change(1, {}, {"tag": "VIP"}),
        change(2, {}, {"tag": "clv-ignore"}),
        change(3, {}, {"colour": "red"}),
    ]
    assert [outcome.status for outcome in shop.push(changes)] == ["rejected"] * 3
    assert not toys.calls


TAGS = st.lists(
    st.sampled_from(
        ["VIP", "clv-high", "CLV-Low", "clv-ignore", "Clv-Ignore", "clvx", "wholesale"]
    ),
    unique_by=str.lower,
)
SHOWN = st.fixed_dictionaries(
    {},
    optional={"tier": st.just("high"), "tag": st.sampled_from(["clv-high", "clv-low", "clv-new"])},
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tags=TAGS, after=SHOWN)
def test_no_mutation_ever_names_anothers_tag(tags: list[str], after: Shown) -> None:
    node = {"id": "gid://shopify/Customer/1", "tags": tags}
    standing = standing_of(node, OURS)
    writes = rendered(0, change(1, standing.shown, after), standing)
    named = [tag for write in writes if write.kind in ("remove", "add") for tag in write.items]
    assert {tag.lower() for tag in named} <= OURS
    kept = {tag.lower() for tag in tags if tag.lower() not in OURS}
    assert not kept & {tag.lower() for tag in named}


def broken(web: Any, body: Any) -> None:
    url = "https://toys.myshopify.com/admin/api/2026-10/graphql.json"
    web.reset()
    web.post(url, json=body)


def test_a_200_with_errors_is_a_failure(shop: ShopifyShop, toys: Any, web: Any) -> None:
    errors = [{"message": "bad", "extensions": {"code": "undefinedField"}}]
    broken(web, {"data": None, "errors": errors})
    with pytest.raises(RequestRefused, match="undefinedField"):
        list(shop.push([change(1, {}, HIGH)]))


@pytest.mark.parametrize(
    ("code", "error"),
    [("ACCESS_DENIED", AuthenticationError), ("INTERNAL_SERVER_ERROR", ShopUnavailable)],
)
def test_error_codes_say_who_can_mend_it(
    shop: ShopifyShop, toys: Any, web: Any, code: str, error: type[Exception]
) -> None:
    broken(web, {"errors": [{"message": "no", "extensions": {"code": code}}]})
    with pytest.raises(error):
        list(shop.push([change(1, {}, HIGH)]))


def test_an_ignored_search_term_is_a_failure(shop: ShopifyShop, toys: Any, web: Any) -> None:
    warned = {
        "search": [{"path": ["customers"], "warnings": [{"message": "Invalid search field"}]}]
    }
    broken(web, {"data": {"nodes": []}, "extensions": warned})
    with pytest.raises(RequestRefused, match="search"):
        list(shop.push([change(1, {}, HIGH)]))


def test_an_error_over_one_customer_is_that_customers_alone(
    shop: ShopifyShop, toys: Any, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.add(1)
    toys.add(2)
    answer = toys.answer

    def fails_over_the_first(request: Any) -> Any:
        status, headers, text = answer(request)
        body = json.loads(text)
        if "set0" in body["data"]:
            toys.customer(1)["fields"].clear()
            body["data"]["set0"] = None
            body["errors"] = [{"message": "Internal error", "path": ["set0"]}]
        return status, headers, json.dumps(body)

    web.reset()
    web.add_callback(
        "POST", "https://toys.myshopify.com/admin/api/2026-10/graphql.json", fails_over_the_first
    )
    outcomes = list(shop.push([change(1, {}, HIGH), change(2, {}, HIGH)]))
    assert [outcome.status for outcome in outcomes] == ["rejected", "applied"]


def test_every_field_has_a_place_in_the_shop(shop: ShopifyShop) -> None:
    assert list(shop.shows) == [*FIELDS, "tag"]


@pytest.mark.parametrize("tag", ["clv-ignore", "CLV-Ignore"])
def test_a_customer_whom_the_owner_excepts_is_never_written(
    shop: ShopifyShop, toys: Any, tag: str
) -> None:
    toys.add(1, tags=("VIP", tag))
    toys.add(2, tags=(tag, "clv-low"), tier="low", predicted_12m="3.50", scored_at="2026-10-01")
    outcomes = list(shop.push([change(1, {}, HIGH), change(2, LOW, HIGH)]))
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {
        ("conflict", "left alone: tagged clv-ignore")
    }
    assert [outcome.status for outcome in shop.push([change(2, LOW, {})])] == ["conflict"]
    assert not toys.calls
    assert toys.customer(2)["tags"] == [tag, "clv-low"]


def test_a_plan_with_nothing_to_do_costs_one_page_of_reads(shop: ShopifyShop, toys: Any) -> None:
    toys.add(1, tags=("clv-high",), tier="high", predicted_12m="77.25", scored_at="2026-11-22")
    (page,) = shop.pull_customers(None, datetime(2026, 11, 23, tzinfo=UTC))
    assert page.shown == {"1": HIGH}
    assert list(shop.push([])) == []
    assert len(toys.requests) == 1
