"""What the shop lets us read, and what it tells of itself: counts, pages, time zone, currencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.config import ShopSettings
from connectors.errors import ConnectorError, PayloadError
from connectors.http import Answer, AnswerDenied
from connectors.magento.checks.asking import Seen, failed, parameters_of
from connectors.magento.checks.denials import boxes, resources_of
from connectors.magento.fields import Fields
from connectors.magento.parse import parse_store_views
from connectors.magento.search import PAGE_SIZE, Filter, criteria
from connectors.platform import Finding
from connectors.schema import FIELDS, KINDS, Kind

Pairs = Sequence[tuple[str, str]]
Judge = Callable[[str, Answer, ShopSettings], Finding]

LARGE = 100_000  # rows a page: more than any shop allows that limits pages
LIMITS = "Stores > Configuration > Services > Magento Web API > Web Api Input Limits"

#: What Magento calls the kinds of our fields.
BACKENDS: Mapping[Kind, str] = {
    "money": "decimal",
    "number": "decimal",
    "date": "datetime",
    "text": "varchar",
}


@dataclass(frozen=True, slots=True)
class Look:
    """A route that pulling needs, and how its answer is judged."""

    path: str
    judge: Judge
    params: Pairs = ()


def counted(name: str, answer: Answer, _: ShopSettings) -> Finding:
    return Finding(name, "ok", f"{Fields(answer.data).number('total_count')} to read")


def sampled(name: str, answer: Answer, settings: ShopSettings) -> Finding:
    """A full page asked for: are all its rows there?"""
    fields = Fields(answer.data)
    total, rows = fields.number("total_count"), len(list(fields.rows("items")))
    if rows >= min(PAGE_SIZE, total):
        return counted(name, answer, settings)
    detail = f"asked for {min(PAGE_SIZE, total)} of {total}, got {rows}: something cuts pages short"
    return Finding(name, "warn", detail, f"Raise the page sizes in {LIMITS}.")


def attributes(name: str, answer: Answer, settings: ShopSettings) -> Finding:
    rows = Fields({"rows": answer.data}).rows("rows")
    there = {row.text("attribute_code"): row.text_or_none("backend_type") for row in rows}
    prefix = settings.attribute_prefix
    wanted = KINDS if settings.segment_tags else FIELDS
    missing = [prefix + field for field in wanted if prefix + field not in there]
    if missing:
        return Finding(name, "fail", f"missing: {', '.join(missing)}", _how_to_add(settings))
    other = [
        f"{prefix}{field} is {there[prefix + field]} instead of {BACKENDS[kind]}"
        for field, kind in wanted.items()
        if there[prefix + field] not in (None, BACKENDS[kind])
    ]
    if other:
        mend = f"Set CLV_{settings.shop.upper()}_ATTRIBUTE_PREFIX to one that is free."
        return Finding(name, "fail", ", ".join(other), mend)
    return Finding(name, "ok", f"all {len(wanted)} customer attributes are there ({prefix}*)")


def _how_to_add(settings: ShopSettings) -> str:
    if settings.ims_org:
        return "Add them in Stores > Attributes > Customer."
    return (
        "Install the module of this version (magento-module/README.md), then bin/magento "
        "setup:upgrade. Adobe "
        "Commerce without it: Stores > Attributes > Customer."
    )


def store_views(name: str, answer: Answer, _: ShopSettings) -> Finding:
    views = parse_store_views(answer.data).values()
    websites = {view.website for view in views if view.website != "0"}  # 0 is the admin
    count = sum(view.website != "0" for view in views)
    return Finding(name, "ok", f"{count} store views in {len(websites)} websites")


def currencies(name: str, answer: Answer, settings: ShopSettings) -> Finding:
    """The base currencies and time zones of the websites, against CURRENCY and RATES."""
    rows = Fields({"rows": answer.data}).rows("rows")
    codes = sorted({row.currency("base_currency_code") for row in rows})
    told, setting = ", ".join(codes) or "unknown", f"CLV_{settings.shop.upper()}_CURRENCY"
    if settings.rates:
        return Finding(name, "ok", f"{told}, converted into {settings.currency} by your rates")
    if settings.currency and settings.currency not in codes:
        mend = f"Set {setting} to {codes[0]}, or convert: CLV_{settings.shop.upper()}_RATES."
        return Finding(name, "fail", f"{told}, but {setting} is {settings.currency}", mend)
    if len(codes) > 1:
        mend = f"Set {setting} to one of them and CLV_{settings.shop.upper()}_RATES to convert."
        return Finding(name, "warn", f"several base currencies, kept apart: {told}", mend)
    return Finding(name, "ok", f"base currency {told}")


def time_zone(answer: Answer) -> Finding:
    """For the reader alone: all instants are UTC, whatever the admin shows."""
    rows = Fields({"rows": answer.data}).rows("rows")
    zones = sorted({row.text_or_none("timezone") or "unknown" for row in rows})
    return Finding("time zone", "ok", f"{', '.join(zones)}; instants are kept in UTC")


def probe_of_pages() -> Pairs:
    """A page far too large, of no rows: a limit refuses it before anything is read."""
    return [*criteria([Filter("entity_id", "eq", "0")], LARGE), ("fields", "total_count")]


def page_size(seen: Seen) -> Finding:
    limit = limit_of(seen)
    if limit is None and isinstance(seen, ConnectorError):
        return failed("page size", seen)
    if limit is None:
        return Finding("page size", "ok", f"no limit; {PAGE_SIZE} rows a page are asked for")
    if limit >= PAGE_SIZE:
        return Finding("page size", "ok", f"at most {limit} rows a page")
    return Finding(
        "page size",
        "warn",
        f"at most {limit} rows a page: nothing is lost, but pulling takes longer",
        f"Raise Maximum Page Size to {PAGE_SIZE} or more in {LIMITS}.",
    )


def limit_of(seen: Seen) -> int | None:
    """The page size that the shop allows, where its refusal names one."""
    limit = parameters_of(seen).get("max")
    return limit if type(limit) is int and limit > 0 else None


def looks(limit: int | None) -> Mapping[str, Look]:
    """What pulling reads, by the name of its line. `limit` is the shop's, on rows a page."""
    size = min(PAGE_SIZE, limit or PAGE_SIZE)
    page = [*criteria([], size), ("fields", "items[id],total_count")]
    count = [*criteria([], 1), ("fields", "total_count")]
    return {
        "orders": Look("orders", counted, count),
        "credit memos": Look("creditmemos", counted, count),
        "customers": Look("customers/search", _sample_of(size), page),
        "attributes": Look("attributeMetadata/customer", attributes),
        "store views": Look("store/storeViews", store_views),
        "currencies": Look("store/storeConfigs", currencies),
    }


def _sample_of(size: int) -> Judge:
    return sampled if size == PAGE_SIZE else counted


def judged(name: str, look: Look, seen: Seen, settings: ShopSettings) -> Finding:
    if isinstance(seen, AnswerDenied):
        mend = boxes(resources_of([seen]))
        return Finding(name, "fail", "the role doesn't allow this", mend)
    if isinstance(seen, ConnectorError):
        return failed(name, seen)
    try:
        return look.judge(name, seen, settings)
    except PayloadError as error:
        return unreadable(name, error)


def unreadable(name: str, error: PayloadError) -> Finding:
    detail = f"the answer can't be read: {error.field} {error.message}"
    return Finding(name, "fail", detail, "Does something between us and Magento change answers?")
