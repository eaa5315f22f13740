"""The page in a real browser: what it shows, what it lets pass, whether everybody can use it."""

from __future__ import annotations

import csv
import re
import socket
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import Tab
from playwright.sync_api import Browser, Page
from reported import cdnow, hostile_page, known_of, material_of

import clv
from clv import columns as c
from clv.report import report
from connectors.report import Spoken, page

pytestmark = pytest.mark.end_to_end

BEFORE = {"run": date(1998, 6, 23), "quarter": date(1998, 3, 31)}

Told = dict[str, Any]


@pytest.fixture(scope="module")
def told() -> Told:
    """The numbers of all 23,570 CDNOW customers, with the names that a spreadsheet would run."""
    orders = cdnow("full")
    orders.loc[orders[c.CUSTOMER_ID] == "22279", c.CUSTOMER_ID] = "=cmd|' /C calc'!A0"
    settings = clv.ScoreSettings(margin=Decimal("0.4"), cac=Decimal(20))
    known = known_of(orders, settings=settings, before=BEFORE)
    return {**report(known), "material": material_of(known)}


@pytest.fixture(scope="module")
def file(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    numbers = {name: part for name, part in told.items() if name != "material"}
    path.write_text(page(numbers, told["material"], Spoken.of("en", "EUR")), encoding="utf-8")
    return path


def rows_of(page: Page) -> list[str]:
    return page.locator("#customers tbody th").all_inner_texts()


def shown(page: Page) -> int:
    """How many customers the filter leaves."""
    return int(page.locator("#shown").inner_text().rpartition(" ")[2].replace(",", ""))


def test_it_opens_with_every_customer_and_neither_asks_nor_complains(
    tab: Tab, file: Path, told: Told
) -> None:
    opened = tab.open(file)
    assert shown(opened) == 23_570
    assert tab.asked == [file.as_uri()]
    assert tab.said == []
    assert opened.locator("figure svg").count() == 5
    assert rows_of(opened) == told["customers"]["columns"]["customer"][:50]


def test_the_first_action_leads_to_its_customers_and_their_csv(
    tab: Tab, file: Path, told: Told
) -> None:
    opened = tab.open(file)
    opened.locator("#monday a").first.click()
    columns = told["customers"]["columns"]
    slipping = [
        name for name, flag in zip(columns["customer"], columns["slipping"], strict=True) if flag
    ]
    assert shown(opened) == len(slipping) == told["slipping"]["customers"]
    with opened.expect_download() as waiting:
        opened.locator("#download").click()
    with Path(waiting.value.path()).open(newline="", encoding="utf-8") as taken:
        rows = list(csv.DictReader(taken))
    assert [row["customer"].removeprefix("'") for row in rows] == slipping
    at_risk = dict(zip(columns["customer"], columns["at_risk"], strict=True))
    assert [float(row["at_risk"]) for row in rows] == [at_risk[name] for name in slipping]
    risky = [row["customer"] for row in rows if "cmd" in row["customer"]]
    assert risky == ["'=cmd|' /C calc'!A0"]
    assert tab.said == []


def test_filters_narrow_and_one_button_shows_all_again(tab: Tab, file: Path, told: Told) -> None:
    opened = tab.open(file)
    columns = told["customers"]["columns"]
    opened.locator("#f-tier").select_option("high")
    assert shown(opened) == columns["tier"].count("high")
    opened.locator("#f-rfm").select_option("champions")
    both = zip(columns["tier"], columns["rfm"], strict=True)
    assert shown(opened) == sum(pair == ("high", "champions") for pair in both)
    opened.locator("#f-id").fill("no such id")
    assert opened.locator("#shown").inner_text() == "Nobody fits the filter."
    opened.locator("#reset").click()
    assert shown(opened) == 23_570


def test_a_heading_sorts_by_mouse_and_by_keyboard_and_says_so(
    tab: Tab, file: Path, told: Told
) -> None:
    opened = tab.open(file)
    heading = opened.locator("th[data-name=orders] button")
    heading.click()
    columns = told["customers"]["columns"]
    most = [name for name, _ in sorted(
        zip(columns["customer"], columns["orders"], strict=True), key=lambda one: -one[1]
    )]  # fmt: skip
    assert rows_of(opened) == most[:50]
    assert opened.locator("th[data-name=orders]").get_attribute("aria-sort") == "descending"
    heading.focus()
    opened.keyboard.press("Enter")
    assert opened.locator("th[data-name=orders]").get_attribute("aria-sort") == "ascending"
    fewest = opened.locator("#customers tbody tr td:nth-child(9)").all_inner_texts()
    assert set(fewest) == {"1"}
    opened.locator("#next").click()
    assert opened.locator("#shown").inner_text().startswith("51 to 100 of")


def test_what_nobody_knows_is_last_in_either_direction(tab: Tab, file: Path) -> None:
    opened = tab.open(file)
    heading = opened.locator("th[data-name=next_order_on] button")
    for _ in range(2):
        heading.click()
        assert "" not in opened.locator("#customers tbody td:nth-child(12)").all_inner_texts()


def test_tiers_sort_by_their_worth_and_not_by_their_letters(tab: Tab, file: Path) -> None:
    opened = tab.open(file)
    heading = opened.locator("th[data-name=tier] button")
    first = opened.locator("#customers tbody tr").first.locator("td").first
    heading.click()
    assert first.inner_text() == "high"
    heading.click()
    assert first.inner_text() == "low"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(browser: Browser, file: Path, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    opened = context.new_page()
    opened.goto(file.as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(opened).response["violations"]
    context.close()
    assert [(one["id"], one["impact"]) for one in found] == []


def test_nothing_is_wider_than_a_telephone(browser: Browser, file: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    opened = context.new_page()
    opened.goto(file.as_uri())
    width = opened.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert width <= 390


def test_paper_shows_no_controls(tab: Tab, file: Path) -> None:
    opened = tab.open(file)
    opened.emulate_media(media="print")
    for name in ("nav", "#controls", "#pages", "details"):
        assert not opened.locator(name).first.is_visible()
    assert opened.locator("#slipping table").is_visible()


INTRUDER = """async (address) => {
  const script = document.createElement("script");
  script.append("window.stolen = 1");
  document.body.append(script);
  const image = document.createElement("img");
  const ended = new Promise((done) => { image.onload = image.onerror = done; });
  image.src = address;
  document.body.append(image);
  const asked = Promise.all([ended, fetch(address, { mode: "no-cors" }).catch(() => {})]);
  await Promise.race([asked, new Promise((done) => setTimeout(done, 2000))]);
}"""


def test_the_policy_holds_against_a_script_that_got_in(tab: Tab, file: Path) -> None:
    opened = tab.open(file)
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened.evaluate(INTRUDER, f"http://127.0.0.1:{server.getsockname()[1]}/stolen")
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody came
            server.accept()
    assert opened.evaluate("window.stolen") is None
    assert len([told for told in tab.said if "Content Security Policy" in told]) >= 2


def test_hostile_names_do_nothing(tab: Tab, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(hostile_page(), encoding="utf-8")
    opened = tab.open(path)
    assert tab.said == []
    assert tab.asked == [path.as_uri()]
    texts = opened.locator("#customers").inner_text()
    assert re.search(r"<img src=x onerror=alert\(1\)>", texts)
