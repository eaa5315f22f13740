"""Checks 3, 21, 22 and 25 to 31: what is written arrives once, is seen, and can be undone."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.sandbox.faults import Fault
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.shopify.setup import configure as configure_shopify
from tests.reliability.applying import WAYS, Scored, Shop
from tests.reliability.conftest import FULL, Told
from tests.reliability.forked import Ended, Running

# ------------------------------------------------------------------------------ 3, 31: all at rest


PAGES = {"/orders?": "orders", "/creditmemos?": "refunds", "/customers/search?": "customers"}


def stream_of(row: dict[str, Any]) -> str | None:
    """Which stream a journalled request took a page of; counting takes none."""
    if "pageSize%5D=1&" in row["path"] or row["path"].endswith("pageSize%5D=1"):
        return None
    if row["path"].endswith("/graphql.json"):
        query = json.loads(row["sent"]).get("query", "")
        return next((one for one in ("orders", "customers") if f" {one}(" in query), None)
    return next((name for path, name in PAGES.items() if path in row["path"]), None)


class Rest(NamedTuple):
    """Runs after which nothing had changed: how often, and what they did all the same."""

    runs: int
    rows_changed: int
    writes: int
    calls: int


@pytest.fixture(scope="module")
def rest(scored: Scored) -> Rest:
    """Both shops, written to, and then run again and again; a history takes several pages."""
    runs = 10 if FULL else 2
    sizes = {"connectors.magento.search:PAGE_SIZE": 60}
    changed = writes = extra = 0
    with scored.copied("put") as shop:

        def run(*command: str) -> Ended:
            ended = shop.commands.run(shop.folder, shop.environment, *command, sizes=sizes)
            assert ended.code == 0, ended.err
            return ended

        run("apply", "--yes", "--allow-drift")
        run("run")
        for _ in range(runs):
            written, asked = shop.mutations(), len(shop.books.journal())
            ended = run("run", "--json")
            changed += sum(one["changed"] for one in ended.events("pulled"))
            writes += shop.mutations() - written
            journal = shop.books.journal()[asked:]
            pages = Counter((one["shop"], stream) for one in journal if (stream := stream_of(one)))
            assert len(pages) == 5, pages
            extra += sum(count - 1 for count in pages.values())
    return Rest(runs, changed, writes, extra)


def test_check_03_nothing_changed_means_nothing_is_written(told: Told, rest: Rest) -> None:
    told(
        "runs after which nothing had changed",
        rest.runs,
        rows_changed=rest.rows_changed,
        writes=rest.writes,
    )


def test_check_31_what_we_wrote_is_not_read_again_and_again(told: Told, rest: Rest) -> None:
    told("runs behind our own write-back: calls beyond one page a stream", rest.runs,
         calls=rest.calls, writes=rest.writes)  # fmt: skip


# -------------------------------------------------------------------------- 21, 22: killed, unheard


@pytest.mark.parametrize("way", WAYS)
def test_check_21_killed_while_it_writes_the_end_is_that_of_the_plan(
    told: Told, scored: Scored, way: str
) -> None:
    wanted = told.often(3 if way == "files" else 2, 40)
    rng = random.Random(way)  # noqa: S311  # no secret
    with scored.copied(way) as shop:
        assert begun(shop, Fault("slow", probability=0)).wait().code == 0
        requests = shop.sandbox.faults.report()[0]["seen"]
        plan = shop.seen()
        assert shop.run("plan", "--detailed-exitcode").code == 0
    kills = two_tags = other = pending = tries = 0
    while kills < wanted:
        tries += 1
        assert tries <= 3 * wanted, "it ends before it can be killed"
        with scored.copied(way) as shop:
            while kills < wanted and killed_while_writing(
                shop, requests * (kills + rng.random()) / wanted
            ):
                kills += 1
                two_tags += shop.two_tier_tags()
            failed = shop.apply().wait().code != 0
            two_tags += shop.two_tier_tags()
            other += differing(shop.seen(), plan)
            pending += failed or shop.run("plan", "--detailed-exitcode").code != 0
    told(
        f"kill -9 while writing ({way})",
        kills,
        rows_other_than_planned=other,
        two_tier_tags=two_tags,
        still_pending=pending,
    )


def begun(shop: Shop, fault: Fault) -> Running:
    """An apply that has asked for its first write; from then on the fault may meet it."""
    written = shop.mutations()
    shop.sandbox.faults.set([])
    applying = shop.apply()
    while applying.poll() is None and shop.mutations() == written:
        time.sleep(0.005)
    shop.sandbox.faults.set([fault])
    return applying


def killed_while_writing(shop: Shop, requests: float) -> bool:
    """Kills an apply behind its first write and so many requests: the last is carried out, but not
    yet answered. False where it ended before."""
    applying = begun(shop, Fault("slow", nth=max(int(requests), 1), seconds=0.3))
    while applying.poll() is None and not shop.sandbox.faults.report()[0]["met"]:
        time.sleep(0.005)
    time.sleep(0.01)
    return applying.killed()


def differing(seen: dict[str, Any], wanted: dict[str, Any]) -> int:
    """Rows that are in one of them only."""
    return sum(
        len({str(row) for row in seen[table]} ^ {str(row) for row in wanted[table]})
        for table in wanted
    )


@pytest.mark.parametrize("way", WAYS)
def test_check_22_an_answer_that_is_lost_behind_the_commit_has_no_second_effect(
    told: Told, scored: Scored, way: str
) -> None:
    with scored.copied(way) as shop:
        assert shop.apply().wait().code == 0
        plan = shop.seen()
    times, lost, doubled, other, failed = told.often(2, 10), 0, 0, 0, 0
    for seed in range(times):
        with scored.copied(way) as shop:
            fault = Fault("lost", method="POST|PUT", probability=0.4, times=0)
            shop.sandbox.faults.set([fault], seed)
            failed += shop.apply().wait().code != 0
            lost += shop.sandbox.faults.report()[0]["met"]
            other += differing(shop.seen(), plan)
            doubled += shop.two_tier_tags() + made_twice(shop)
    told(
        f"answers lost behind a commit ({way})",
        lost,
        doubled=doubled,
        rows_that_differ=other,
        runs_failed=failed,
    )


def made_twice(shop: Shop) -> int:
    sql = "SELECT name FROM {} WHERE shop = 'us' GROUP BY name HAVING count(*) > 1"
    return sum(len(shop.books.query(sql.format(table))) for table in ("segments", "definitions"))


# --------------------------------------------------------------- 25 to 27: edited, dropped, refused


@pytest.mark.parametrize("way", WAYS)
def test_check_25_an_admin_who_edits_behind_the_plan_is_not_overwritten(
    told: Told, scored: Scored, way: str
) -> None:
    with scored.copied(way) as shop:
        assert shop.run("plan", "--out", "monday.plan").code == 0
        planned = [json.loads(line) for line in plan_lines(shop.folder / "monday.plan")]
        edited = [one["customer_id"] for one in planned if one["after"]][: told.often(5, 20)]
        for customer in edited:
            edit(shop, int(customer))
        ended = shop.run("apply", "monday.plan", "--allow-drift")
        kept = sum(is_edited(shop, int(customer)) for customer in edited)
        conflicts = {one["customer"] for one in ended.events("refused")}
        applied = ended.lines[-1]["shops"][shop.way.shop]["applied"]
    told(
        f"customers whom an admin edited behind the plan ({way})",
        len(edited),
        overwritten=len(edited) - kept,
        not_told=len(set(edited) - conflicts),
        others_not_written=len(planned) - len(edited) - applied,
        other_exit_codes=int(ended.code != 3),
    )


def plan_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()[1:]


def edit(shop: Shop, customer: int) -> None:
    name, kind = (
        ("clv_tier", "varchar") if shop.way.shop == "eu" else ("clv.tier", "single_line_text_field")
    )
    shop.books.set_value(shop.way.shop, customer, name, kind, "by hand")


def is_edited(shop: Shop, customer: int) -> bool:
    values = shop.books.values_of(shop.way.shop, [customer])[customer]
    return "by hand" in {row["value"] for row in values}


@pytest.mark.parametrize("way", ["documents", "files"])
def test_check_26_tags_that_are_dropped_without_a_word_are_found(
    told: Told, scored: Scored, way: str
) -> None:
    with scored.copied(way) as shop:
        configure_shopify(shop.books, "us", drop_tags=0.4)
        shop.more["CLV_MAX_REFUSALS"] = "1"  # so many would stop the write-back
        ended = shop.apply().wait()
        refused = {int(one["customer"]) for one in ended.events("refused")}
        dropped = {
            row["customer_id"]
            for row in shop.books.query(
                "SELECT customer_id FROM customer_values v WHERE name = 'clv.tier' AND NOT EXISTS"
                " (SELECT 1 FROM customer_tags t WHERE t.shop = v.shop"
                " AND t.customer_id = v.customer_id AND t.tag = 'clv-' || v.value)"
            )
        }
    told(
        f"tags that the shop lost silently ({way})",
        len(dropped),
        unseen=len(dropped - refused),
        other_exit_codes=int(ended.code != 3),
    )


WRITTEN = ("planned", "applied")


@pytest.mark.parametrize("way", ["put", "module"])
def test_check_27_a_twentieth_is_refused_and_the_others_are_written(
    told: Told, scored: Scored, way: str
) -> None:
    percent = 5 if told.full else 15
    with scored.copied(way, refuse_percent=percent) as shop:
        first = shop.apply().wait()
        refused = first.events("refused")
        planned, applied = (first.lines[-1]["shops"]["eu"].get(one, 0) for one in WRITTEN)
        silent = sum(not one["reason"] for one in refused)
        configure(shop.books, "eu", refuse_percent=0)
        again = shop.apply().wait()
        left = shop.run("plan", "--detailed-exitcode").code
    told(
        f"customers of whom {percent}% refuse every write ({way})",
        planned,
        not_written=planned - applied - len(refused),
        nobody_refused=int(not refused),
        without_reason=silent,
        not_tried_again=len(refused) - again.lines[-1]["shops"]["eu"]["applied"],
        other_exit_codes=int((first.code, again.code, left) != (3, 0, 0)),
    )


# ---------------------------------------------------------------------- 28 to 30: dry, far, undone


READING = (
    ["doctor"],
    ["pull"],
    ["score"],
    ["backtest"],
    ["plan"],
    ["plan", "--out", "a.plan"],
    ["apply", "--dry-run", "--yes", "--allow-drift"],
    ["apply", "--non-interactive", "--allow-drift"],
    ["reconcile"],
    ["state"],
    ["undo"],
    ["export", "scores", "--out", "s.csv"],
)


def test_check_28_commands_that_only_look_ask_for_no_change(told: Told, scored: Scored) -> None:
    ways = list(WAYS) if told.full else ["module", "documents"]
    codes = set()
    mutating = changed = 0
    for way in ways:
        with scored.copied(way) as shop:
            before = shop.seen()
            for command in READING:
                codes.add(shop.run(*command).code)
            mutating += shop.mutations()
            changed += differing(shop.seen(), before)
    assert codes <= {0, 1, 3}
    told("commands that only look", len(ways) * len(READING),
         mutating_requests=mutating, rows_changed=changed)  # fmt: skip


def test_check_29_a_shop_that_moves_too_far_at_once_is_left_alone(
    told: Told, scored: Scored
) -> None:
    stops = []
    with scored.copied("put") as shop:
        for command in (["apply", "--yes"], ["run"]):
            stops.append(shop.run(*command))
        written = shop.mutations()
        assert shop.apply().wait().code == 0
        steady, jumped = shop.mutations(), {**shop.environment, "CLV_HORIZON_DAYS": "3650"}
        jump = ("--shop", "eu", "run", "--json")
        stops.append(shop.commands.run(shop.folder, jumped, *jump))
        assert shop.run("run").code == 0
        written += shop.mutations() - steady
    silent = sum("CLV_MAX_" not in ended.err for ended in stops)
    allowed = sum(ended.code != 14 for ended in stops)
    told("plans that move a shop too far", len(stops), let=allowed, silent=silent, writes=written)


@pytest.mark.parametrize("way", WAYS)
def test_check_30_undo_gives_everybody_back_what_they_showed(
    told: Told, scored: Scored, way: str
) -> None:
    with scored.copied(way) as shop:
        before = shop.seen()
        applied = shop.apply().wait()
        assert differing(shop.seen(), before) > 0
        run = applied.events("summary")[0]["run_id"]
        undone = shop.run("undo", run, "--yes")
        told(
            f"customers written and taken back ({way})",
            applied.lines[-1]["changes"],
            rows_that_differ=differing(shop.seen(), before),
            failed=int(undone.code != 0),
        )
