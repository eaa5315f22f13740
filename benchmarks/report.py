"""How long the report takes to make and to open, with all 23,570 CDNOW customers.

python benchmarks/report.py

Opening is measured in Chromium, five times: from the start of the navigation until everything is
loaded and the table is drawn. What a filter and a sort take is measured in the page itself.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from reported import cdnow, known_of, material_of

import clv
from clv.report import report
from connectors.report import Spoken, page

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
LOADED = "performance.timing.loadEventEnd - performance.timing.navigationStart"
TIMED = """(steps) => {
  const begun = performance.now();
  steps.forEach(([id, kind, value]) => {
    const one = document.querySelector(id);
    if (value !== null) one.value = value;
    one.dispatchEvent(new Event(kind, { bubbles: true }));
  });
  return performance.now() - begun;
}"""
FILTER = [["#f-group", "input", "slipping"]]
ALL = [["#f-group", "input", ""]]
SORT = [["th[data-name=customer] button", "click", None]]


def made(path: Path) -> None:
    settings = clv.ScoreSettings(margin=Decimal("0.4"), cac=Decimal(20))
    before = {"run": date(1998, 6, 23), "quarter": date(1998, 3, 31)}
    known = known_of(cdnow("full"), settings=settings, before=before)
    cpu = time.process_time()
    told = report(known)
    numbers = time.process_time() - cpu
    path.write_text(page(told, material_of(known), Spoken.of("en", "EUR")), encoding="utf-8")
    drawn = time.process_time() - cpu - numbers
    line(f"numbers {numbers:.2f} s, page {drawn:.2f} s of CPU, {path.stat().st_size / 1e6:.1f} MB")


def opened(tab: Page, path: Path) -> float:
    tab.goto(path.as_uri())
    tab.locator("#customers tbody tr").first.wait_for()
    return float(tab.evaluate(LOADED))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        made(path)
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        tab = chromium.new_page()
        times = [opened(tab, path) for _ in range(5)]
        line(f"opens in {statistics.median(times):.0f} ms ({min(times):.0f} to {max(times):.0f})")
        for name, steps in (("filter", FILTER), ("show all", ALL), ("sort by customer", SORT)):
            line(f"{name}: {tab.evaluate(TIMED, steps):.0f} ms")
        chromium.close()


def line(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- the figures


if __name__ == "__main__":
    main()
