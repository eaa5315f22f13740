from __future__ import annotations

import pytest

from connectors.magento.shown import custom_attributes, parse_shown
from connectors.schema import GROUP


def raw(**attributes: object) -> dict[str, object]:
    rows = [{"attribute_code": code, "value": value} for code, value in attributes.items()]
    return {"id": 1, "group_id": 5, "custom_attributes": rows}


def test_values_come_back_in_the_form_in_which_they_were_written() -> None:
    stored = raw(clv_predicted_12m="312.5000", clv_scored_at="2026-11-22 00:00:00", clv_tier="high")
    wanted = {"predicted_12m": "312.50", "scored_at": "2026-11-22", "tier": "high"}
    assert parse_shown(stored) == wanted


def test_only_codes_with_our_prefix_are_ours() -> None:
    stored = raw(clv_tier="old", acme_tier="high", tier="theirs")
    assert parse_shown(stored, "acme_") == {"tier": "high"}
    sent = custom_attributes({}, {"tier": "high"}, "acme_")
    assert sent == [{"attribute_code": "acme_tier", "value": "high"}]


def test_the_group_shows_only_where_it_is_asked_for() -> None:
    assert GROUP not in parse_shown(raw())
    assert parse_shown(raw(), group=True) == {GROUP: "5"}


@pytest.mark.parametrize("odd", [None, [], {}, {"custom_attributes": "none"}, "a text"])
def test_a_customer_without_attributes_shows_nothing(odd: object) -> None:
    assert parse_shown(odd, group=True) == {}


def test_the_segment_is_read_and_written_where_there_is_one() -> None:
    stored = raw(clv_tier="high", clv_segment="loyal")
    assert parse_shown(stored) == {"tier": "high", "segment": "loyal"}
    assert custom_attributes({"segment": "loyal"}, {}) == [
        {"attribute_code": "clv_segment", "value": ""}
    ]
    assert custom_attributes({"tier": "high"}, {"tier": "high"}) == []
