"""`report` as its users start it: on two practice shops, held against the shops' own books."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from started import Run, called_in

from connectors.sandbox.books import Books
from connectors.sandbox.ledger import ledger, sums
from connectors.sandbox.magento.setup import configure
from connectors.sandbox.server import open_books, serve

pytestmark = pytest.mark.end_to_end

CUSTOMERS = 60  # of each shop


@dataclass(frozen=True, slots=True)
class Filled:
    """Two shops, scored, with their own books beside them."""

    books: Books
    environment: dict[str, str]
    run: Run
    folder: Path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("reported")
    books = open_books(folder / "s.sqlite", today=datetime.now(UTC).date(), limit=CUSTOMERS)
    with serve(books) as sandbox:
        run = called_in(folder)
        environment = {**sandbox.environment, "CLV_STORE": str(folder / ".clv/store.duckdb")}
        assert run(environment, "backfill").code == 0
        yield Filled(books, environment, run, folder)
    books.close()


def amount(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.-]", "", text))


def bridge_of(page: Path) -> dict[str, Decimal]:
    found = re.findall(r'data-bridge="(\w+)">([^<]+)<', page.read_text(encoding="utf-8"))
    return {name: amount(text) for name, text in found}


def test_the_reports_totals_are_reconciles_and_the_books_to_the_cent(filled: Filled) -> None:
    ended = filled.run(filled.environment, "report", "--out", "monday.html", "--json")
    assert ended.code == 0, ended.err
    files = {line["shop"]: line["file"] for line in ended.events("report")}
    assert files == {"eu": "monday-eu.html", "us": "monday-us.html"}
    pages = {shop: filled.folder / file for shop, file in files.items()}
    for shop in ("eu", "us"):
        truth = ledger(filled.books, shop)
        told = bridge_of(pages[shop])
        assert told["total"] == truth.every.total
        assert told["net"] == truth.counted.net
        assert told["scored"] == told["net"] + told.get("unscored", 0) - told.get("nobodys", 0)
        assert "later" not in told
        reconciled = filled.run(filled.environment, "reconcile", "--shop", shop, "--json")
        months = reconciled.events("totals")
        assert sum(amount(month["ordered"]) for month in months) == told["total"]
        assert sum(amount(month["net"]) for month in months) == told["net"]


def of_the_books(books: Books, shop: str) -> dict[str, dict[str, tuple[int, Decimal]]]:
    """From the books alone: by month of the shop's clock what was ordered, by month of UTC why it
    isn't net value."""
    zone = ZoneInfo(books.shop(shop)["settings"]["timezone"])
    found: dict[str, dict[str, tuple[int, Decimal]]] = defaultdict(dict)

    def count(month: str, cause: str, money: Decimal) -> None:
        orders, sum_so_far = found[month].get(cause, (0, Decimal(0)))
        found[month][cause] = (orders + 1, sum_so_far + money)

    for row in books.query("SELECT * FROM orders WHERE shop = ?", (shop,)):
        body, whole = row["body"], sums(row["body"])
        at = datetime.fromisoformat(row["created_at"]).replace(tzinfo=UTC)
        month = f"{at:%Y-%m}"
        count(f"{at.astimezone(zone):%Y-%m}", "shown in the shop", whole.total)
        if body["test"] or body["state"] in ("cancelled", "open"):
            why = "test" if body["test"] else body["state"].replace("open", "pending")
            count(month, why, -whole.total)
            continue
        if whole.refunded_total:
            count(month, "refunded", -whole.refunded_total)
        back = whole.refunded_total - whole.refunded_goods - whole.refunded_shipping
        count(month, "tax", back - whole.tax)
        count(month, "shipping", whole.refunded_shipping - whole.shipping)
        count(month, "net value", whole.net)
        if body["guest"]:
            count(month, "of these guests'", whole.net)
    return found


@pytest.mark.parametrize("shop", ["eu", "us"])
def test_reconcile_names_every_difference_with_the_books_own_figures(
    shop: str, filled: Filled
) -> None:
    ended = filled.run(filled.environment, "reconcile", "--shop", shop, "--json")
    assert ended.code == 0, ended.err
    told: dict[str, dict[str, tuple[int, Decimal]]] = defaultdict(dict)
    for row in ended.events("cause"):
        told[row["month"]][row["what"]] = (amount(row["orders"]), amount(row["money"]))
    assert not [month for month in told if "unexplained" in told[month]]
    zoned = [month for month in told if "time zone" in told[month]]
    assert sum(told[month]["time zone"][1] for month in zoned) == 0
    ours = {
        month: {cause: row for cause, row in causes.items() if cause != "time zone" and any(row)}
        for month, causes in told.items()
    }
    theirs = {
        month: {
            cause: row
            for cause, row in causes.items()
            if row[1] or cause not in ("tax", "shipping")
        }
        for month, causes in of_the_books(filled.books, shop).items()
    }
    assert ours == theirs
    for causes in told.values():
        shown, net = causes["shown in the shop"][1], causes["net value"][1]
        ends = ("shown in the shop", "net value", "of these guests'")
        assert shown + sum(row[1] for cause, row in causes.items() if cause not in ends) == net


def test_people_are_told_the_causes_in_one_table(filled: Filled) -> None:
    ended = filled.run(filled.environment, "reconcile", "--shop", "us")
    assert "from the shop's own reports (America/New_York) to net value" in ended.out
    for cause in ("shown in the shop", "cancelled", "pending", "test", "refunded", "tax"):
        assert cause in ended.out


def test_the_page_is_for_the_owner_alone_and_in_the_language_asked_for(filled: Filled) -> None:
    swedish = {**filled.environment, "CLV_EU_LOCALE": "sv_SE"}
    assert filled.run(swedish, "report", "--shop", "eu", "--out", "se/rapport.html").code == 0
    page = filled.folder / "se/rapport.html"
    assert page.stat().st_mode & 0o777 == 0o600
    assert '<html lang="sv-SE">' in page.read_text(encoding="utf-8")
    told = filled.run(swedish, "report", "--shop", "eu", "--lang", "da", "--out", "da.html")
    assert told.code == 0
    assert '<html lang="da">' in (filled.folder / "da.html").read_text(encoding="utf-8")


def test_a_language_that_nobody_wrote_is_named(filled: Filled) -> None:
    ended = filled.run(filled.environment, "report", "--lang", "fi")
    assert ended.code == 1
    assert "en, sv, da, nb, pl" in ended.err


def buyer(filled: Filled, shop: str = "eu") -> str:
    """The customer with the most orders."""
    return str(
        filled.books.query(
            "SELECT customer_id FROM orders WHERE shop = ? AND customer_id IS NOT NULL"
            " GROUP BY customer_id ORDER BY count(*) DESC LIMIT 1",
            (shop,),
        )[0]["customer_id"]
    )


def test_a_customer_is_explained_by_numbers_that_add_up(filled: Filled) -> None:
    who = buyer(filled)
    ended = filled.run(filled.environment, "explain", who, "--shop", "eu", "--json")
    assert ended.code == 0, ended.err
    (score,) = ended.events("explained")
    how = {line["score"]: line for line in ended.events("score")}
    gross, refunds = map(amount, how["historic"]["how"].split(" - "))
    assert gross - refunds == Decimal(score["historic_net"]) == amount(how["historic"]["EUR"])
    each, yearly, years = map(amount, how["formula"]["how"].split(" x "))
    assert each * yearly * years == pytest.approx(
        Decimal(score["formula_clv"]), rel=Decimal("0.01")
    )
    net = sum(amount(order["net value"]) for order in ended.events("order"))
    assert net == Decimal(score["historic_net"])
    facts = {line["what"]: line["value"] for line in ended.events("fact")}
    assert facts["tier"] == score["tier"]
    assert score["tier"] in facts["tiers begin at"]


def test_what_would_move_a_customer_starts_from_the_score(filled: Filled) -> None:
    ended = filled.run(filled.environment, "explain", buyer(filled), "--shop", "eu", "--json")
    (score,) = ended.events("explained")
    moves = {move["if"]: move for move in ended.events("move")}
    assert amount(moves["as it stands"]["predicted"]) == Decimal(score["predicted_clv"])
    predicted = [amount(move["predicted"]) for move in moves.values()]
    standing, *others = predicted
    assert others[0] < others[1] < others[2]
    assert standing > others[3] > others[4] > others[5]


def test_the_sentence_is_the_one_that_the_shops_admin_sees(filled: Filled) -> None:
    assert filled.run(filled.environment, "apply", "--yes", "--shop", "eu").code == 0
    who = buyer(filled)
    (told,) = filled.run(filled.environment, "explain", who, "--shop", "eu", "--json").events(
        "explained"
    )
    (seen,) = filled.books.query(
        "SELECT value FROM customer_values WHERE shop = 'eu' AND customer_id = ?"
        " AND name = 'clv_reason'",
        (int(who),),
    )
    assert seen["value"] == told["reason"]


def test_before_anything_is_scored_there_is_no_report(run: Run, tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text("customer_id,ordered_at,net_value\n1,2026-01-05,10.00\n")
    settings = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": "o.csv"}
    assert run(settings, "pull").code == 0
    ended = run(settings, "report")
    assert ended.code == 1
    assert "backfill" in ended.err


RULES = """
[[segment]]
name = "regulars"
where = [["orders", ">=", 3]]
[[segment]]
name = "once"
where = [["orders", "=", 1], ["tier", "in", ["low", "new"]]]
"""


def test_segments_are_written_as_tags_where_the_owner_wants_them(filled: Filled) -> None:
    (filled.folder / "rules.toml").write_text(RULES)
    own = {"CLV_SEGMENT_RULES": "rules.toml", "CLV_US_SEGMENT_TAGS": "yes"}
    wanted = {**filled.environment, **own}
    ended = filled.run(wanted, "segments", "--shop", "us", "--out", "seg.csv", "--json")
    assert ended.code == 0, ended.err
    told = {line["segment"]: int(line["customers"]) for line in ended.events("segment")}
    assert told["regulars"] > 0
    assert told["once"] > 0
    with (filled.folder / "seg.csv").open() as file:
        listed = [row for row in csv.DictReader(file) if row["customer_id"]]
    before = foreign_tags(filled.books)
    assert filled.run(wanted, "apply", "--yes", "--shop", "us").code == 0
    for name in ("regulars", "once"):
        worn = tagged(filled.books, f"clv-{name}")
        assert worn == {row["customer_id"] for row in listed if row["segment"] == name}
    assert foreign_tags(filled.books) == before
    assert filled.run(wanted, "plan", "--shop", "us", "--detailed-exitcode").code == 0
    # Without the wish the tags go again.
    assert filled.run(filled.environment, "apply", "--yes", "--shop", "us").code == 0
    assert tagged(filled.books, "clv-regulars") == set()
    assert foreign_tags(filled.books) == before


@pytest.mark.parametrize("way", ["module", "put"])
def test_segments_are_written_as_an_attribute_in_magento_and_can_be_undone(
    way: str, filled: Filled
) -> None:
    configure(filled.books, "eu", module=way == "module")
    (filled.folder / "rules.toml").write_text(RULES)
    plain = {**filled.environment, "CLV_EU_WRITE": way}
    own = {**plain, "CLV_SEGMENT_RULES": "rules.toml", "CLV_EU_SEGMENT_TAGS": "yes"}
    assert filled.run(plain, "apply", "--yes", "--shop", "eu").code == 0
    before, others = segmented(filled.books), foreign_values(filled.books)
    assert before == {}

    ended = filled.run(own, "segments", "--shop", "eu", "--out", "eu.csv", "--json")
    told = {line["segment"]: line["query"] for line in ended.events("query")}
    assert told["regulars"] == "Value Segment: regulars"
    assert filled.run(own, "apply", "--yes", "--shop", "eu").code == 0
    with (filled.folder / "eu.csv").open() as file:
        listed = {row["customer_id"]: row["segment"] for row in csv.DictReader(file)}
    shown = segmented(filled.books)
    assert {*shown.values()} == {"regulars", "once"}
    named = {who: name for who, name in listed.items() if who and name in shown.values()}
    assert shown == named
    assert filled.run(own, "plan", "--shop", "eu", "--detailed-exitcode").code == 0

    (newest, *_) = filled.run(own, "undo", "--json").events("run")
    assert filled.run(own, "undo", newest["run"], "--yes").code == 0
    assert segmented(filled.books) == before
    assert filled.run(own, "apply", "--yes", "--shop", "eu").code == 0
    # Without the wish the values go again.
    assert filled.run(plain, "apply", "--yes", "--shop", "eu").code == 0
    assert segmented(filled.books) == {}
    assert foreign_values(filled.books) == others


def segmented(books: Books) -> dict[str, str]:
    sql = "SELECT customer_id, value FROM customer_values WHERE shop = 'eu' AND name = ?"
    return {str(row["customer_id"]): row["value"] for row in books.query(sql, ("clv_segment",))}


def foreign_values(books: Books) -> list[tuple[object, ...]]:
    sql = "SELECT * FROM customer_values WHERE shop = 'eu' AND name NOT LIKE 'clv\\_%' ESCAPE '\\'"
    return [tuple(row.values()) for row in books.query(sql)]


def tagged(books: Books, tag: str) -> set[str]:
    sql = "SELECT customer_id FROM customer_tags WHERE shop = 'us' AND tag = ?"
    return {str(row["customer_id"]) for row in books.query(sql, (tag,))}


def foreign_tags(books: Books) -> list[tuple[int, str]]:
    rows = books.query("SELECT customer_id, tag FROM customer_tags WHERE shop = 'us'")
    ours = {"clv-high", "clv-medium", "clv-low", "clv-new", "clv-regulars", "clv-once"}
    return sorted((row["customer_id"], row["tag"]) for row in rows if row["tag"] not in ours)


def test_rules_that_cannot_be_meant_are_one_line(filled: Filled) -> None:
    (filled.folder / "bad.toml").write_text('[[segment]]\nname = "x"\nwhere = [["os", "=", 1]]\n')
    ended = filled.run({**filled.environment, "CLV_SEGMENT_RULES": "bad.toml"}, "segments")
    assert ended.code == 1
    assert len(ended.err.strip().splitlines()) == 1
    assert "the columns are" in ended.err


def test_what_was_written_about_somebody_who_is_erased_goes_too(tmp_path: Path) -> None:
    rows = [f"c{n},2026-0{1 + n % 6}-05,{20 + n}.00" for n in range(30)]
    header = "customer_id,ordered_at,net_value"
    (tmp_path / "o.csv").write_text("\n".join([header, *rows, ""]))
    settings = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": "o.csv"}
    run = called_in(tmp_path)
    for command in (("backfill",), ("report",), ("segments", "--out", "seg.csv")):
        assert run(settings, *command).code == 0
    assert "c7" in (tmp_path / "seg.csv").read_text()
    ended = run(settings, "erase", "c7", "--shop", "x", "--yes")
    assert not (tmp_path / "report.html").exists(), ended.err
    left = (tmp_path / "seg.csv").read_text()
    assert "c7" not in left
    assert "c8" in left


def movement_of(page: Path) -> str:
    """The section on who moved, without the days that its scorings are of."""
    text = page.read_text(encoding="utf-8")
    start = text.index('<section id="movement">')
    return text[start : text.index("</section>", start)]


def test_the_first_report_tells_who_moved_since_a_quarter_ago_and_keeps_nothing_of_it(
    tmp_path: Path,
) -> None:
    rng = Random(7)  # noqa: S311
    today = datetime.now(UTC).date()
    days = [(n, rng.randrange(1, 400)) for n in range(240) for _ in range(rng.choice((1, 1, 2, 5)))]
    rows = [f"c{n},{today - timedelta(days=ago)},{20 + n % 70}.00" for n, ago in days]
    (tmp_path / "o.csv").write_text("\n".join(["customer_id,ordered_at,net_value", *rows, ""]))
    settings = {
        "CLV_SHOPS": "x",
        "CLV_X_PLATFORM": "file",
        "CLV_X_PATH": "o.csv",
        "CLV_MODEL": "bg",
    }
    run = called_in(tmp_path)
    assert run(settings, "backfill").code == 0
    assert run(settings, "plan", "--out", "monday.plan").code == 0
    assert run(settings, "report", "--out", "first.html").code == 0
    first = movement_of(tmp_path / "first.html")
    assert "a quarter ago" in first
    assert "worked out today" in first
    assert 'class="n">0<' not in first[first.index("rose and") - 40 : first.index("rose and")]
    assert run(settings, "apply", "monday.plan", "--yes").code == 0  # it is no older for the report

    # What a scoring of that day gives is the same.
    then = str(today - timedelta(days=91))
    assert run(settings, "score", "--as-of", then).code == 0
    assert run(settings, "report", "--out", "second.html").code == 0
    second = movement_of(tmp_path / "second.html")
    assert "worked out today" not in second
    note = re.compile(r'<p class="quiet">[^<]*worked out today[^<]*</p>')
    assert note.sub("", first).split() == second.split()


def test_a_shop_younger_than_a_quarter_has_nobody_who_could_have_moved(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    rows = [f"c{n % 40},{today - timedelta(days=n % 60)},{20 + n}.00" for n in range(120)]
    (tmp_path / "o.csv").write_text("\n".join(["customer_id,ordered_at,net_value", *rows, ""]))
    settings = {"CLV_SHOPS": "x", "CLV_X_PLATFORM": "file", "CLV_X_PATH": "o.csv"}
    run = called_in(tmp_path)
    assert run(settings, "backfill").code == 0
    assert run(settings, "report", "--out", "r.html").code == 0
    assert "too little was known to score anybody" in movement_of(tmp_path / "r.html")
