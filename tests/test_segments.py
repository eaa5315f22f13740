from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConfigurationError
from connectors.plan import target
from connectors.sandbox.shopify.segment_query import Filter, problems
from connectors.sandbox.shopify.segments import NATIVE
from connectors.segments import (
    attribute_filter,
    magento_filter,
    read_rules,
    shopify_query,
    tag_query,
    with_segments,
)

KNOWN = {one.name: one for one in NATIVE} | {
    f"metafields.clv.{name}": Filter(f"metafields.clv.{name}", name, kind)
    for name, kind in (
        ("tier", "SegmentStringFilter"),
        ("previous_tier", "SegmentStringFilter"),
        ("predicted_12m", "SegmentFloatFilter"),
        ("historic_net", "SegmentFloatFilter"),
        ("p_alive", "SegmentFloatFilter"),
    )
}


@pytest.mark.parametrize(
    ("where", "query"),
    [
        ([("orders", ">=", 4)], "number_of_orders >= 4"),
        ([("days_since_last_order", "<=", 60)], "last_order_date >= -60d"),
        ([("tier", "=", "high")], "metafields.clv.tier = 'high'"),
        (
            [("tier", "in", ["high", "new"]), ("p_alive", "<", 0.5)],
            "(metafields.clv.tier = 'high' OR metafields.clv.tier = 'new')"
            " AND metafields.clv.p_alive < 0.5",
        ),
        ([("predicted_clv", ">", 120.5)], "metafields.clv.predicted_12m > 120.5"),
    ],
)
def test_shopify_is_asked_in_its_own_language(where: Any, query: str) -> None:
    assert shopify_query(where) == query
    assert problems(query, KNOWN) == []


def test_what_shopify_does_not_know_is_asked_by_the_tag_alone() -> None:
    assert shopify_query([("win_back", "=", True)]) is None
    assert shopify_query([("orders", ">", 1), ("rfm", "=", "lost")]) is None
    assert tag_query("win-back") == "customer_tags CONTAINS 'clv-win-back'"
    assert problems(tag_query("win-back"), KNOWN) == []


def test_magentos_grid_is_told_in_the_words_above_its_filters() -> None:
    where = [("historic_net", ">=", 119.03), ("p_alive", "<", 0.5), ("tier", "=", "high")]
    told = "Net Value So Far: from 119.03; Chance of Return: to 0.5; Value Tier: high"
    assert magento_filter(where) == told
    assert magento_filter([("orders", ">", 1)]) is None


def test_magentos_words_are_those_that_our_module_shows() -> None:
    from connectors.segments import LABELS

    module = Path(__file__).resolve().parents[1] / "magento-module/Domain/Attributes.php"
    text = module.read_text(encoding="utf-8")
    for field, label in LABELS.items():
        assert f"'clv_{field}' => '{label}'" in text


TWO = {"1": {"tier": "high"}, "2": {"tier": "low"}}


def test_where_there_are_no_tags_a_customer_shows_the_segment_as_a_field() -> None:
    scored = with_segments(TWO, {"1": "worth  it"}, "magento")
    shows = ("tier", "segment")
    assert target(scored["1"], {}, shows) == {"tier": "high", "segment": "worth it"}
    assert target(scored["2"], {"tier": "low", "segment": "loyal"}, shows) == {"tier": "low"}
    assert attribute_filter("loyal") == "Value Segment: loyal"


def test_a_customer_wears_the_tag_of_the_tier_and_of_the_segment() -> None:
    scored = with_segments(TWO, {"1": "loyal", "9": "loyal"}, "shopify")
    shows = ("tier", "tag")
    assert target(scored["1"], {}, shows)["tag"] == "clv-high,clv-loyal"
    assert target(scored["2"], {}, shows)["tag"] == "clv-low"
    assert "tag" not in target(scored["1"], {}, ("tier",))


@pytest.mark.parametrize("text", ["[[segment", "name = 1", "segment = 3", "segment = [1]"])
def test_a_file_without_rules_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"rules\.toml"):
        read_rules(path)
    with pytest.raises(ConfigurationError, match="CLV_SEGMENT_RULES"):
        read_rules(tmp_path / "none.toml")
