"""The books keep what they are given, and nothing of a failed transaction."""

from __future__ import annotations

import pytest

from connectors.sandbox.books import Books


def test_a_body_comes_back_as_it_went_in(tiny: Books) -> None:
    row = tiny.order("us", 101)
    assert row is not None
    assert row["body"]["lines"][1]["discount"] == "1.00"
    assert row["body"]["last_name"] == "Møller"


def test_a_failed_transaction_leaves_nothing(tiny: Books) -> None:
    def half() -> None:
        with tiny.transaction():
            tiny.add_tag("us", 11, "half done")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert tiny.tags_of("us", [11]) == {11: ["VIP"]}


def test_tags_keep_their_order_and_know_no_case(tiny: Books) -> None:
    assert tiny.add_tag("us", 11, "aardvark")
    assert not tiny.add_tag("us", 11, "vip")
    assert tiny.tags_of("us", [11, 12]) == {11: ["VIP", "aardvark"], 12: []}


def test_a_value_keeps_its_id_when_it_changes(tiny: Books) -> None:
    before = tiny.values_of("us", [11])[11][0]
    tiny.set_value("us", 11, "custom.erp_number", "single_line_text_field", "E-12")
    after = tiny.values_of("us", [11])[11][0]
    assert (after["id"], after["value"]) == (before["id"], "E-12")


def test_a_journal_line_may_hold_any_text(tiny: Books) -> None:
    tiny.write_down("us", "POST", "/us/admin/x", "{not json", 400)
    assert [(row["sent"], row["status"]) for row in tiny.journal()] == [("{not json", 400)]


def test_refunds_are_found_by_order(tiny: Books) -> None:
    found = tiny.refunds_of("us", [101, 102])
    assert [row["id"] for row in found[101]] == [201]
    assert found[102] == []
