"""Many customers through each of the three ways, by the command: `run`, and then what shows.

Some dozens in `make test`, ten thousand in `make thorough`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from started import Run

from connectors.sandbox.magento.setup import configure
from connectors.sandbox.server import Sandbox, open_books, serve
from connectors.schema import Shown, as_shown
from connectors.store import Store

from .keeping import SHOP, WAYS, fitted_out, ids, theirs

pytestmark = pytest.mark.end_to_end

REFUSED_PERCENT = 5
SIZES = [70, pytest.param(10_500, marks=pytest.mark.thorough)]  # some of them order as guests


@pytest.fixture(params=SIZES)
def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    books = open_books(
        tmp_path / "b.sqlite",
        today=datetime.now(UTC).date(),
        customers="full",
        limit=request.param,
    )
    configure(books, SHOP, module=True, refuse_percent=REFUSED_PERCENT)
    with serve(books) as running:
        yield running
    books.close()


def shown(sandbox: Sandbox) -> dict[int, Shown]:
    """Our values by customer, as the shop keeps them, in normal form."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in sandbox.books.query(
        "SELECT * FROM customer_values WHERE shop = ? AND name LIKE 'clv%'", (SHOP,)
    ):
        name = row["name"].removeprefix("clv_")
        found[row["customer_id"]][name] = as_shown(name, row["value"])
    return found


def wanted(folder: Path, run_id: str) -> dict[int, Shown]:
    """What the run meant each customer to show."""
    with Store.open(folder / ".clv" / "store.duckdb", now=datetime.now(UTC)) as store:
        changes = [row.change for row in store.journal(run_id)]
    return {int(change.customer_id): change.after for change in changes}


#: The queue takes its time; test_push_sandbox has it refuse some of what it takes, too.
SLOW = pytest.param("async", marks=pytest.mark.thorough)


@pytest.mark.parametrize("way", [SLOW if way == "async" else way for way in WAYS])
def test_all_but_the_refused_are_written_and_nothing_else_has_moved(
    sandbox: Sandbox, run: Run, way: str, tmp_path: Path
) -> None:
    fitted_out(sandbox)
    before, setup = theirs(sandbox), configure(sandbox.books, SHOP)
    asked = sandbox.environment | {"CLV_EU_WRITE": way, "CLV_SHOPS": SHOP, "CLV_MODEL": "mbg"}

    ended = run(asked, "run", "--json")

    (wrote,) = ended.events("applied")
    told = {int(event["customer"]): event["reason"] for event in ended.events("refused")}
    meant = wanted(tmp_path, wrote["run_id"])
    assert ended.code == 3
    assert len(meant) > 0.9 * len(ids(sandbox))
    assert set(told) == {one for one in meant if setup.refuses(one)} != set()
    assert all(told.values())
    assert shown(sandbox) == {one: after for one, after in meant.items() if one not in told}
    assert theirs(sandbox) == before
    assert (wrote["applied"], wrote["conflict"]) == (len(meant) - len(told), 0)
    assert wrote["rejected"] == len(told)
