"""The sixty-day trap through the whole command: backfills are refused, scores are labelled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from started import Run

from connectors.sandbox.books import Books
from connectors.sandbox.server import Sandbox, serve
from connectors.sandbox.shopify.setup import SCOPES, configure
from tests.sandbox import conftest as practice

tiny = practice.tiny  # the fixture: two customers, three orders of January


@pytest.fixture
def sandbox(tiny: Books) -> Iterator[Sandbox]:
    with serve(tiny) as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox) -> dict[str, str]:
    return {**sandbox.environment, "CLV_SHOPS": "us", "CLV_STORE": "state/store.duckdb"}


def hide(sandbox: Sandbox) -> None:
    configure(sandbox.books, "us", scopes=[one for one in SCOPES if one != "read_all_orders"])


@pytest.mark.end_to_end
def test_a_backfill_is_refused_and_nothing_is_scored(
    sandbox: Sandbox, environment: dict[str, str], run: Run
) -> None:
    hide(sandbox)
    ended = run(environment, "backfill", "--json")
    assert ended.code == 12
    assert "last 60 days only" in ended.err
    assert ended.events("scored") == []


@pytest.mark.end_to_end
def test_scores_of_a_history_that_is_cut_since_are_labelled_until_it_is_whole_again(
    sandbox: Sandbox, environment: dict[str, str], run: Run
) -> None:
    def warnings(*command: str) -> list[str]:
        (scored,) = run(environment, *command, "--json").events("scored")
        return [told for told in scored["card"]["warnings"] if "60 days" in told]

    assert warnings("backfill") == []
    hide(sandbox)
    assert run(environment, "pull").code == 3
    assert len(warnings("score")) == 1
    configure(sandbox.books, "us", scopes=list(SCOPES))
    assert run(environment, "pull").code == 0
    assert warnings("score") == []
