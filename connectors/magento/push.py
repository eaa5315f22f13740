"""Writes what customers show: compare, send the differences, read back.

One customer takes one synchronous PUT with nothing but our attributes in it. That wipes nothing
(seen on 2.4.7-p3), but Magento checks the whole customer again: one with a bad old address is
refused.
https://developer.adobe.com/commerce/webapi/rest/ (read 2026-11-21)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.errors import AuthenticationError, ConnectorError, ShopUnavailable
from connectors.http import AnswerRefused, Http
from connectors.magento.search import Filter, Keyset
from connectors.magento.shown import PREFIX, custom_attributes, parse_shown
from connectors.schema import Change, Outcome, Shown

CUSTOMERS = "/rest/all/V1/customers"
FAILURES = 3  # customers in a row on whom the shop fails, before we take the shop to be down


def push(http: Http, changes: Sequence[Change]) -> Iterator[Outcome]:
    """One outcome for each change, in their order.

    Where the shop goes down in between, all outcomes still come, and then the error.
    """
    before = _showing(http, changes)
    todo = [one for one in changes if _due(one, before.get(one.customer_id))]
    reasons, stopped = _send(http, todo, before)
    after = before | _showing(http, todo)
    for change in changes:
        yield _outcome(change, after.get(change.customer_id), reasons.get(change.customer_id))
    if stopped:
        raise stopped


def _due(change: Change, shown: Shown | None) -> bool:
    return shown is not None and shown != change.after and not change.edited(shown)


def _showing(http: Http, changes: Sequence[Change]) -> dict[str, Shown]:
    """What these customers show now; those that the shop doesn't have are absent."""
    ids = ",".join(change.customer_id for change in changes if change.customer_id.isdigit())
    if not ids:
        return {}
    wanted = [Filter("entity_id", "in", ids)]
    found = Keyset(http, f"{CUSTOMERS}/search", filters=wanted, id_field="id")
    rows = (row for batch in found.batches() for row in batch.rows if isinstance(row, Mapping))
    return {str(row.get("id")): parse_shown(row) for row in rows}


def _send(
    http: Http, todo: Sequence[Change], before: Mapping[str, Shown]
) -> tuple[dict[str, str], ConnectorError | None]:
    """Send each change: why it failed ("" where it didn't), and the error that stopped us."""
    reasons = {one.customer_id: "not sent: the shop became unavailable" for one in todo}
    failures = 0
    for change in todo:
        error = _put(http, change, before[change.customer_id])
        reasons[change.customer_id] = _why(error)
        failures = failures + 1 if isinstance(error, ShopUnavailable) else 0
        if error and (failures == FAILURES or _is_about_the_shop(error)):
            return reasons, error
    return reasons, None


def _put(http: Http, change: Change, shown: Shown) -> ConnectorError | None:
    customer = {
        "id": int(change.customer_id),
        "custom_attributes": custom_attributes(shown, change.after),
    }
    try:
        path = f"{CUSTOMERS}/{change.customer_id}"
        http.request("PUT", path, json={"customer": customer})
    except (AnswerRefused, ShopUnavailable, AuthenticationError) as error:
        return error
    return None


def _is_about_the_shop(error: ConnectorError) -> bool:
    """Not about this one customer: no answer, no rights, too fast, maintenance."""
    return error.evidence.get("status") in (None, 401, 403, 429, 503)


def _why(error: ConnectorError | None) -> str:
    if error is None:
        return ""
    said = error.evidence.get("said")
    return f"{error.message}: {said}" if said else error.message


def _outcome(change: Change, shown: Shown | None, reason: str | None) -> Outcome:
    """Judge by what the shop shows now. `reason` is None where nothing was sent."""
    if shown is None:
        return Outcome(change.customer_id, "rejected", {}, "the shop has no such customer any more")
    if shown == change.after:
        return Outcome(change.customer_id, "applied", shown)
    if reason is None:
        return Outcome(change.customer_id, "conflict", shown, "it was changed in the shop")
    return Outcome(change.customer_id, "rejected", shown, reason or _dropped(change, shown))


def _dropped(change: Change, shown: Shown) -> str:
    codes = [
        PREFIX + field
        for field in sorted({*change.after, *shown})
        if change.after.get(field) != shown.get(field)
    ]
    return f"the shop said yes and dropped {', '.join(codes)}: are the attributes there?"
