"""Which way of writing back is open: our module's route, single PUTs, or the queue.

Nothing is written to find out. The module's route is sent one row too many, each of no customer and
no value, and refuses them all (400) once it has looked at our rights; a shop that limits lists does
so before and tells the limit. Who may PUT a customer may also ask whether customer 0, whom no shop
has, confirmed their account:
https://github.com/magento/magento2/blob/2.4-develop/app/code/Magento/Customer/etc/webapi.xml
(read 2026-11-23)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.config import ShopSettings
from connectors.errors import ConnectorError, PayloadError
from connectors.http import Answer, AnswerDenied, Http
from connectors.magento.api import Api
from connectors.magento.checks.asking import Seen, failed, look, status_of
from connectors.magento.checks.denials import boxes, resources_of
from connectors.magento.checks.reading import LIMITS, limit_of, unreadable
from connectors.magento.fields import Fields
from connectors.magento.lean import Module, codes
from connectors.platform import Finding

MOST_ROWS = 1000  # the module's route takes no more in one request
NO_ROW = {"customer_id": 0, "values": []}
NO_BULK = "00000000-0000-0000-0000-000000000000"
KEY_SCREEN = "Stores > Configuration > Customers > Customer Value > Privacy > E-mail Key"
README = "magento-module/README.md"
KNOWS_ALL = (1, 1)  # the first version that tells countries and sums


@dataclass(frozen=True, slots=True)
class Ways:
    """What the shop said to each way of writing; None where it wasn't asked."""

    module: Seen
    by_module: Seen | None
    by_put: Seen
    by_queue: Seen | None
    groups: Seen | None

    @property
    def has_module(self) -> bool:
        return isinstance(self.module, Answer)

    def knows(self, prefix: str) -> bool:
        """Whether the module's attributes are those of the configuration."""
        told = self.module.data if isinstance(self.module, Answer) else None
        return isinstance(told, dict) and Module("", 1, codes(told)).knows(prefix)


def ways(http: Http, api: Api, settings: ShopSettings) -> Ways:
    module = look(http, api.path("clv/module"))
    return Ways(
        module=module,
        by_module=look(
            http,
            api.path("clv/customers"),
            method="POST",
            json={"rows": [NO_ROW] * (MOST_ROWS + 1)},
        )
        if isinstance(module, Answer)
        else None,
        by_put=look(http, api.path("customers/0/confirm")),
        by_queue=look(http, api.path(f"bulk/{NO_BULK}/status"))
        if settings.write == "async"
        else None,
        groups=look(http, api.path("customerGroups/search"), _of_ids(settings.groups.values()))
        if settings.groups
        else None,
    )


def _of_ids(ids: Iterable[str]) -> list[tuple[str, str]]:
    head = "searchCriteria[filter_groups][0][filters][0]"
    return [
        (f"{head}[field]", "id"),
        (f"{head}[value]", ",".join(sorted(set(ids)))),
        (f"{head}[condition_type]", "in"),
        ("fields", "items[id,code]"),
    ]


def findings(seen: Ways, settings: ShopSettings, fingerprint: str) -> Iterator[Finding]:
    yield _module(seen, settings, fingerprint)
    yield _write_back(seen, settings)
    if seen.groups is not None:
        yield _groups(seen.groups, settings)


def _module(seen: Ways, settings: ShopSettings, fingerprint: str) -> Finding:
    if settings.ims_org:
        return Finding("module", "ok", "Adobe's cloud takes no modules: stock routes are used")
    if isinstance(seen.module, Answer):
        try:
            finding = _installed(Fields(seen.module.data), settings, fingerprint)
        except PayloadError as error:
            return unreadable("module", error)
        knows = finding.status == "fail" or seen.knows(settings.attribute_prefix)
        return finding if knows else _with_other_codes(finding, settings)
    if isinstance(seen.module, AnswerDenied):
        mend = boxes(resources_of([seen.module]))
        return Finding("module", "fail", "the role doesn't allow to ask for it", mend)
    if status_of(seen.module) != 404:
        return failed("module", seen.module)
    return Finding(
        "module",
        "warn",
        "not installed: pulling takes the stock routes, which load the server far more",
        f"Install it in the shop: {README}.",
    )


def _installed(told: Fields, settings: ShopSettings, fingerprint: str) -> Finding:
    version, theirs = told.text("version"), told.text_or_none("email_key_fingerprint")
    if theirs and theirs != fingerprint:
        return Finding(
            "module",
            "fail",
            f"version {version}, but its e-mail key is another than ours: guests would double",
            f"Set CLV_EMAIL_KEY to the shop's key, or set the shop's to ours: {KEY_SCREEN}.",
        )
    if _is_old(version):
        return Finding(
            "module",
            "warn",
            f"version {version}, older than this program: it tells no countries and no sums",
            f"Install the module of this version ({README}), then `backfill --full-refresh`.",
        )
    hashed = "guests' e-mails are hashed in the shop" if theirs else "e-mails are hashed here"
    return Finding("module", "ok", f"version {version}; {hashed}")


def _is_old(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) < KNOWS_ALL


def _with_other_codes(finding: Finding, settings: ShopSettings) -> Finding:
    setting = f"CLV_{settings.shop.upper()}_ATTRIBUTE_PREFIX"
    detail = (
        f"{finding.detail}; but it has no attributes {settings.attribute_prefix}*: customers are"
        " read by the stock route and written by single PUTs"
    )
    return Finding("module", "warn", detail, f"Leave {setting} at its default to use it for them.")


def _write_back(seen: Ways, settings: ShopSettings) -> Finding:
    """The way that a write-back will take; `push` chooses by the same rule."""
    setting = f"CLV_{settings.shop.upper()}_WRITE"
    if settings.write == "module" and not seen.has_module:
        mend = f"Install it ({README}), or set {setting}=auto."
        return Finding("write-back", "fail", f"{setting}=module, but there is no module", mend)
    if settings.write == "async":
        return _by_queue(seen)
    knows = seen.knows(settings.attribute_prefix)
    if settings.write == "module" and not knows:
        detail = f"{setting}=module, but the module has no {settings.attribute_prefix}* attributes"
        return Finding("write-back", "fail", detail, f"Set {setting}=auto.")
    if seen.by_module is not None and knows and settings.write in ("auto", "module"):
        return _by_module(seen.by_module)
    return _allowed("by single PUTs", seen.by_put, "canaries go first, and nothing else may move")


def _by_module(seen: Seen) -> Finding:
    most = limit_of(seen) or MOST_ROWS
    finding = _allowed("by the module", seen, f"up to {min(most, MOST_ROWS):,} customers a request")
    if finding.status == "fail" or most >= MOST_ROWS:
        return finding
    mend = f"Raise Input List Limit to {MOST_ROWS} in {LIMITS}."
    return Finding("write-back", "warn", f"{finding.detail}: slower than need be", mend)


def _by_queue(seen: Ways) -> Finding:
    how = "by the asynchronous API"
    for one in (seen.by_put, seen.by_queue):
        if one is not None and (finding := _allowed(how, one)).status == "fail":
            return finding
    return Finding(
        "write-back",
        "warn",
        f"{how}, which wipes birthdays on 2.4.8; canaries go first",
        "Prefer the module. Nothing happens unless the consumer async.operations.all runs.",
    )


def _allowed(how: str, seen: Seen, more: str = "") -> Finding:
    """400, 404 and 413: our rights are enough, and the probe was refused as it should be."""
    if isinstance(seen, AnswerDenied):
        mend = boxes(resources_of([seen]))
        return Finding("write-back", "fail", f"{how}: the role doesn't allow it", mend)
    if isinstance(seen, ConnectorError) and status_of(seen) not in (400, 404, 413):
        return failed("write-back", seen)
    return Finding("write-back", "ok", f"{how}; {more}" if more else how)


def _groups(seen: Seen, settings: ShopSettings) -> Finding:
    """Where customers would be moved to. Always a warning: it isn't only a label."""
    name, setting = "customer groups", f"CLV_{settings.shop.upper()}_GROUPS"
    if isinstance(seen, AnswerDenied):
        return Finding(name, "fail", "the role doesn't allow this", boxes(resources_of([seen])))
    if isinstance(seen, ConnectorError):
        return failed(name, seen)
    try:
        codes = {row.id("id"): row.text("code") for row in Fields(seen.data).rows("items")}
    except PayloadError as error:
        return unreadable(name, error)
    gone = sorted(set(settings.groups.values()) - set(codes))
    if gone:
        mend = f"Set {setting} to ids from Customers > Customer Groups."
        return Finding(name, "fail", f"the shop has no group {', '.join(gone)}", mend)
    moves = ", ".join(f"{tier} to {codes[group]}" for tier, group in settings.groups.items())
    detail = f"customers are moved: {moves}. Prices, taxes and promotions may hang on a group"
    return Finding(name, "warn", detail, f"Leave {setting} empty, unless this is meant.")
