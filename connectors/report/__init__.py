"""The report as one page: the numbers that others found, in words, tables and pictures.

spoken     a language and a locale: texts, money, numbers, days
words/     the texts, a file for each language
charts     pictures as SVG, by Vega-Lite
quality    what the numbers rest on: the bridge to the shop's totals, the model card
page       all of it put together, with the policy that lets nothing in or out
pages/     templates, style, and the script of the customer table
message    how a run went and what to do, in a few lines
"""

from __future__ import annotations

from pathlib import Path

from connectors.files import written_whole
from connectors.report.message import RunTold, ShopTold
from connectors.report.page import page
from connectors.report.spoken import LANGUAGES, Spoken

__all__ = ["LANGUAGES", "RunTold", "ShopTold", "Spoken", "page", "write"]


def write(path: Path, page: str) -> None:
    """The page as a file, 0600, whole or not at all. Raises ConfigurationError."""
    with written_whole(path) as fresh:
        fresh.write_text(page, encoding="utf-8")
