"""Faults come when the plan says, and look on the wire like the real thing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from connectors.sandbox import MAGENTO_TOKEN
from connectors.sandbox.books import Books
from connectors.sandbox.faults import Fault, FaultPlan, churn, fault_of
from connectors.sandbox.ledger import ledger
from connectors.sandbox.server import Sandbox


def drawn(plan: FaultPlan, n: int = 10, path: str = "/eu/x") -> list[int]:
    """Which of n requests a fault met, counted from one."""
    return [i for i in range(1, n + 1) if plan.draw("GET", path)]


def test_the_nth_request_is_met_once() -> None:
    assert drawn(FaultPlan([Fault("reset", nth=3)])) == [3]


def test_a_fault_comes_as_often_as_it_may() -> None:
    assert drawn(FaultPlan([Fault("reset")])) == [1]
    assert drawn(FaultPlan([Fault("reset", times=3)])) == [1, 2, 3]
    assert len(drawn(FaultPlan([Fault("reset", times=0)]))) == 10


def test_chance_is_seeded() -> None:
    def run(seed: int) -> list[int]:
        return drawn(FaultPlan([Fault("reset", probability=0.3, times=0)], seed), 200)

    assert run(1) == run(1) != run(2)
    assert 30 < len(run(1)) < 90


def test_method_and_path_must_match() -> None:
    plan = FaultPlan([Fault("reset", method="PUT", path=r"/customers/\d+", times=0)])
    assert plan.draw("GET", "/eu/rest/V1/customers/1") is None
    assert plan.draw("PUT", "/eu/rest/V1/orders") is None
    assert plan.draw("PUT", "/eu/rest/V1/customers/1") is not None


def test_requests_that_do_not_match_are_not_counted() -> None:
    plan = FaultPlan([Fault("reset", path="/eu/", nth=2)])
    assert plan.draw("GET", "/us/x") is None
    assert drawn(plan, 3) == [2]
    assert plan.report()[0]["seen"] == 3


def test_a_fault_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        fault_of({"kind": "meteor"})
    with pytest.raises(ValueError, match="colour"):
        fault_of({"kind": "reset", "colour": "red"})


def test_churn_touches_one_order_and_adds_another(books: Books) -> None:
    before = ledger(books, "eu").every.orders
    churn(books, "eu", FaultPlan().rng)
    assert ledger(books, "eu").every.orders == before + 1
    sql = "SELECT COUNT(*) FROM orders WHERE updated_at = '2026-11-20 12:00:00'"
    assert books.scalar(sql) == 2


# ------------------------------------------------------------------------------- on the wire

ORDERS = "/eu/rest/all/V1/orders?searchCriteria[pageSize]=5"
HEADERS = {"Authorization": f"Bearer {MAGENTO_TOKEN}"}


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.headers.update(HEADERS)
        yield opened


@pytest.mark.end_to_end
@pytest.mark.parametrize("retry_after", ["2", None])
def test_429_comes_with_and_without_retry_after(
    sandbox: Sandbox, session: requests.Session, retry_after: str | None
) -> None:
    sandbox.faults.set([Fault("status", status=429, retry_after=retry_after)])
    answer = session.get(sandbox.url + ORDERS)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, retry_after)
    assert session.get(sandbox.url + ORDERS).status_code == 200


@pytest.mark.end_to_end
def test_an_error_page_is_html(sandbox: Sandbox, session: requests.Session) -> None:
    sandbox.faults.set([Fault("status", status=503, html=True)])
    answer = session.get(sandbox.url + ORDERS)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.end_to_end
def test_a_truncated_answer_is_no_json(sandbox: Sandbox, session: requests.Session) -> None:
    sandbox.faults.set([Fault("truncated")])
    answer = session.get(sandbox.url + ORDERS)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


@pytest.mark.end_to_end
@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_a_connection_breaks(sandbox: Sandbox, session: requests.Session, kind: str) -> None:
    sandbox.faults.set([fault_of({"kind": kind})])
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        session.get(sandbox.url + ORDERS)
    assert session.get(sandbox.url + ORDERS).status_code == 200


@pytest.mark.end_to_end
def test_an_answer_can_get_lost_after_the_work_was_done(
    sandbox: Sandbox, session: requests.Session
) -> None:
    sandbox.faults.set([Fault("lost", method="PUT")])
    body = {"customer": {"custom_attributes": [{"attribute_code": "clv_tier", "value": "high"}]}}
    with pytest.raises(requests.ConnectionError):
        session.put(f"{sandbox.url}/eu/rest/V1/customers/1", json=body)
    values = sandbox.books.values_of("eu", [1])[1]
    assert ("clv_tier", "high") in {(row["name"], row["value"]) for row in values}
    assert sandbox.mutations()["eu"] == 1


@pytest.mark.end_to_end
def test_nothing_was_done_before_a_reset(sandbox: Sandbox, session: requests.Session) -> None:
    sandbox.faults.set([Fault("reset", method="PUT")])
    with pytest.raises(requests.ConnectionError):
        session.put(
            f"{sandbox.url}/eu/rest/V1/customers/1", json={"customer": {"dob": "2000-01-01"}}
        )
    found = sandbox.books.customer("eu", 1)
    assert found is not None
    assert found["extra"]["dob"] != "2000-01-01"


@pytest.mark.end_to_end
@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_slow_answers_are_whole(sandbox: Sandbox, session: requests.Session, kind: str) -> None:
    plain = session.get(sandbox.url + ORDERS)
    sandbox.faults.set([fault_of({"kind": kind, "seconds": 0.2})])
    slow = session.get(sandbox.url + ORDERS)
    assert slow.json() == plain.json()
    assert slow.elapsed.total_seconds() >= (0.2 if kind == "slow" else 0)


@pytest.mark.end_to_end
def test_a_slow_answer_is_too_slow_for_a_short_patience(
    sandbox: Sandbox, session: requests.Session
) -> None:
    sandbox.faults.set([Fault("slow", seconds=0.5)])
    with pytest.raises(requests.Timeout):
        session.get(sandbox.url + ORDERS, timeout=0.1)


@pytest.mark.end_to_end
def test_rows_change_under_the_pages(sandbox: Sandbox, session: requests.Session) -> None:
    count = f"{sandbox.url}/eu/rest/V1/orders?searchCriteria=&fields=total_count"
    before = session.get(count).json()["total_count"]
    sandbox.faults.set([Fault("churn", times=3)])
    after = [session.get(count).json()["total_count"] for _ in range(4)]
    assert after == [before + 1, before + 2, before + 3, before + 3]


@pytest.mark.end_to_end
def test_the_plan_can_be_set_over_http(sandbox: Sandbox, session: requests.Session) -> None:
    controls = f"{sandbox.url}/_control/faults"
    plan = {"seed": 3, "faults": [{"kind": "status", "status": 502, "nth": 2}]}
    assert session.post(controls, json=plan).status_code == 200
    codes = [session.get(sandbox.url + ORDERS).status_code for _ in range(3)]
    assert codes == [200, 502, 200]
    assert session.get(controls).json()["faults"][0]["met"] == 1
    assert session.post(controls, json={"faults": [{"kind": "meteor"}]}).status_code == 400
    session.post(f"{sandbox.url}/_control/reset")
    assert session.get(controls).json() == {"faults": []}
