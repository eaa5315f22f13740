"""The latest scoring as a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

from connectors import extras, made_files, news
from connectors import material as materials
from connectors.config import ShopSettings
from connectors.session import Session
from jobs.engine import clv
from jobs.scoring import score_settings, scores_then


def report_shop(at: Session, shop: ShopSettings, out: Path, lang: str | None = None) -> None:
    """The numbers of the latest scoring as a page, 0600; of several shops each gets its own."""
    pages, path = reports(), out_of(at, shop, out)
    material = materials.read(at.store, shop.shop, at.settings.value, at.now)
    material = with_a_quarter_ago(at, shop, material)
    spoken = pages.Spoken.of(lang or shop.locale, material.currency)
    known = known_of(at, material)
    at.store.note_file(path, made_files.REPORT, at.now)
    pages.write(path, pages.page(clv.report.report(known), material, spoken))
    news.reported(at.terminal, shop.shop, path, material.as_of)


def with_a_quarter_ago(
    at: Session, shop: ShopSettings, material: materials.Material
) -> materials.Material:
    """The same with scores of a quarter ago, where none were made then and some can be now."""
    if materials.QUARTER in material.before:
        return material
    scores = scores_then(at, shop, material.quarter_ago, material.choice)
    if scores is None:
        return material
    before = {**material.before, materials.QUARTER: scores}
    return replace(material, before=before, afterwards=(materials.QUARTER,))


def known_of(at: Session, material: materials.Material) -> clv.report.Known:
    return clv.report.Known(
        material.as_of,
        *(material.scores, material.orders, material.lines, material.before, material.card),
        score_settings(at.settings),
    )


def out_of(at: Session, shop: ShopSettings, out: Path) -> Path:
    """One file for each shop: `report.html`, or `report-eu.html` where there are several."""
    return out if len(at.shops) == 1 else out.with_stem(f"{out.stem}-{shop.shop}")


def reports() -> ModuleType:
    """The room that draws pages: an extra, whose libraries may not be there."""
    return extras.needed("connectors.report", "the report", "report")
