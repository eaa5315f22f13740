"""The message after a run: what it says, in which words, and what it keeps to itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.report import LANGUAGES, RunTold, ShopTold, Spoken

ACTIONS: list[dict[str, Any]] = [
    {"kind": "win_back", "customers": 12, "money": 1234.5},
    {"kind": "second_order", "customers": 1, "money": 400.0, "within_days": 30},
    {"kind": "due", "customers": 7, "money": 99.994, "within_days": 7},
    {"kind": "reward", "customers": 2, "money": 5.0, "tier": "high"},
]
COUNTS = {"orders": 20, "scored": 1500, "applied": 9}


def shop(**more: Any) -> ShopTold:
    said = {"counts": COUNTS, "actions": ACTIONS, **more}
    return ShopTold("eu", Spoken.of("sv_SE", "SEK"), **said)


def run(*shops: ShopTold, exit_code: int = 0, failure: str = "") -> RunTold:
    return RunTold("20261129T030000-0001", exit_code, shops, failure)


def test_it_tells_three_things_to_do_with_their_money_in_the_shops_own_way() -> None:
    told = run(shop()).text()
    assert "1\xa0234\xa0kr" in told or "1\xa0235\xa0kr" in told
    assert "12 värdefulla kunder" in told
    assert "Beräknade: 1\xa0500" in told
    assert len([line for line in told.splitlines() if "kr:" in line]) == 3


def test_programs_get_exact_money_codes_and_counts() -> None:
    told = run(shop()).plain()
    assert told["outcome"] == "done"
    (eu,) = told["shops"]
    assert (eu["currency"], eu["counts"]) == ("SEK", COUNTS)
    assert [(one["kind"], one["customers"], one["money"]) for one in eu["actions"]] == [
        ("win_back", 12, "1234.50"),
        ("second_order", 1, "400.00"),
        ("due", 7, "99.99"),
    ]
    assert json.loads(json.dumps(told)) == told


def test_a_shop_that_failed_says_why_and_recommends_nothing() -> None:
    failed = shop(failure="the shop can't be reached. Try again later.")
    told = run(failed, exit_code=13)
    assert told.outcome == "failed"
    for form in (told.text(), json.dumps(told.plain()), json.dumps(told.slack())):
        assert "can't be reached" in form
        assert "kr" not in form.replace("misslyck", "")
        assert "värdefulla" not in form
    assert told.plain()["shops"][0]["actions"] == []


def test_a_history_that_lacks_a_part_recommends_nothing_and_says_so() -> None:
    told = run(shop(caveat=True), exit_code=3)
    assert told.plain()["shops"][0]["actions"] == []
    assert "historiken" in told.text()


def test_rows_put_aside_are_no_failure_and_are_told() -> None:
    told = run(shop(counts={**COUNTS, "rejected": 2, "refused": 1}), exit_code=3)
    assert told.outcome == "partly"
    assert "3" in told.text().splitlines()[3]
    assert len(told.plain()["shops"][0]["actions"]) == 3


def test_one_failed_shop_leaves_the_other_its_actions() -> None:
    told = run(shop(failure="no"), shop(), exit_code=12)
    assert told.outcome == "failed"
    assert [len(one["actions"]) for one in told.plain()["shops"]] == [0, 3]


def test_a_run_that_came_to_no_shop_is_told_in_english() -> None:
    told = run(exit_code=16, failure="the store can't be read")
    assert told.text().splitlines() == [
        "Customer value: the run failed",
        "the store can't be read",
    ]
    assert told.slack()["blocks"][1]["text"]["text"].endswith("the store can't be read")


def test_slack_gets_blocks_that_it_takes() -> None:
    hostile = shop(failure="<!channel> <https://evil|x> & " + "x" * 5000)
    told = run(*[hostile] * 60, exit_code=1).slack()
    assert len(told["blocks"]) <= 50
    for block in told["blocks"]:
        assert block["type"] in ("header", "section", "context")
        texts = block["elements"] if block["type"] == "context" else [block["text"]]
        for text in texts:
            assert set(text) == {"type", "text"}
            assert 0 < len(text["text"]) <= (150 if block["type"] == "header" else 3000)
            assert text["type"] == ("plain_text" if block["type"] == "header" else "mrkdwn")
            assert "<" not in text["text"]
    assert "<" not in told["text"]
    assert "&lt;!channel&gt;" in told["blocks"][1]["text"]["text"]


def test_slack_shows_the_shop_and_a_line_for_each_thing_to_do() -> None:
    section = run(shop()).slack()["blocks"][1]["text"]["text"].splitlines()
    assert section[0] == "*eu*"
    assert all(line.startswith("\u2022 ") for line in section[1:])
    assert len(section) == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_tells_every_outcome(language: str) -> None:
    spoken = Spoken.of(language, "EUR")
    every = (
        ShopTold("a", spoken, COUNTS, actions=ACTIONS),
        ShopTold("b", spoken, {"rejected": 1}),
        ShopTold("c", spoken, failure="why"),
        ShopTold("d", spoken, caveat=True),
    )
    for one in every:
        assert all(line and "{" not in line for line in run(one).text().splitlines())
