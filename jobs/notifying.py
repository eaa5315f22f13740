"""The message after a run: how it went, and what to do this week with the money in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from connectors import material as materials
from connectors import notify
from connectors.config import Settings, ShopSettings
from connectors.errors import ConfigurationError, ConnectorError, Interrupted, StoreLocked
from connectors.session import SCHEDULED, Session
from connectors.terminal import Terminal
from jobs import shop as shops
from jobs.engine import clv
from jobs.reporting import reports
from jobs.scoring import score_settings

if TYPE_CHECKING:
    from connectors.report import RunTold, ShopTold

#: No news: the run before is still at work, or somebody stopped this one.
NO_NEWS = (StoreLocked.exit_code, Interrupted.exit_code)


def tell(at: Session) -> None:
    """Sends how the run at hand went; that this fails is a warning, and no failure of the run."""
    if not at.settings.webhook or at.stopping():
        return
    try:
        counts = {shop.shop: at.tally.get(shop.shop, {}) for shop in at.shops}
        message = told_of(at, at.run_id, at.exit_code, counts, at.failures)
        send(at, message)
    except (ConnectorError, clv.errors.ClvError) as error:
        not_sent(at.terminal, error)


@contextmanager
def of_failures(settings: Settings, command: str, terminal: Terminal) -> Iterator[None]:
    """What ends the scheduled job before it comes to its shops is told, too."""
    try:
        yield
    except Exception as error:
        code = getattr(error, "exit_code", 1)
        if command == SCHEDULED and settings.webhook and code not in NO_NEWS:
            why = str(error) if isinstance(error, ConnectorError) else type(error).__name__
            try:
                message = reports().RunTold("", code, [], terminal.of_nobody(why))
                notify.send(message, settings.webhook, settings.ca_bundle)
            except ConnectorError as failed:
                not_sent(terminal, failed)
        raise


def show(at: Session, message: RunTold) -> None:
    """As it reads; for programs as it is sent."""
    payload = notify.payload(message, at.settings.webhook)
    at.terminal.tell("message", escape(message.text()), payload=payload)


def send(at: Session, message: RunTold) -> None:
    """Raises ConfigurationError where nobody is to be told, and what sending raises."""
    if not at.settings.webhook:
        raise ConfigurationError(
            "there is nobody to tell", mend=f"Set {notify.SETTING}, or add --dry-run."
        )
    notify.send(message, at.settings.webhook, at.settings.ca_bundle)


def not_sent(terminal: Terminal, error: Exception) -> None:
    terminal.warning(f"the message was not sent: {error}")


def of_the_last_run(at: Session) -> RunTold:
    """The message as the last run would send it now, from the history and the latest scores."""
    runs = at.store.runs(SCHEDULED)
    if not runs:
        return told_of(at, at.run_id, 0, {}, {})
    last = runs[-1]
    code, failures = last.exit_code, dict(last.failures)
    if code is None:
        failures.setdefault("", last.status or "the run did not end")
    return told_of(at, last.run_id, 1 if code is None else code, last.counts_by_shop, failures)


def told_of(
    at: Session,
    run_id: str,
    exit_code: int,
    counts: Mapping[str, Mapping[str, int]],
    failures: Mapping[str, str],
) -> RunTold:
    message: RunTold = reports().RunTold(
        run_id,
        exit_code,
        [_shop_told(at, s, counts.get(s.shop, {}), failures.get(s.shop, "")) for s in at.shops],
        failures.get("", ""),
    )
    return message


def _shop_told(
    at: Session, shop: ShopSettings, counts: Mapping[str, int], failure: str
) -> ShopTold:
    """Without actions where the shop failed, or a part of its history is kept from us."""
    pages, caveat = reports(), bool(shops.caveats(at, shop))
    currency, actions = ("", []) if failure or caveat else _to_do(at, shop)
    spoken = pages.Spoken.of(shop.locale, currency)
    told: ShopTold = pages.ShopTold(shop.shop, spoken, counts, failure, caveat, actions)
    return told


def _to_do(at: Session, shop: ShopSettings) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """The report's actions from the latest scores, and their currency."""
    scores = at.store.latest_scores(shop.shop)
    if scores.empty:
        raise ConfigurationError("no customer is scored yet", mend="Run `backfill` first.")
    as_of, currency = scores["as_of"].iloc[0], str(scores["currency"].iloc[0])
    orders = at.store.purchases(shop.shop, as_of=as_of, rule=at.settings.value, currency=currency)
    known = clv.report.Known(
        *(as_of, scores, orders, orders.head(0)),
        before=materials.before(at.store, shop.shop, as_of),
        settings=score_settings(at.settings),
    )
    return currency, clv.report.to_do(known)
