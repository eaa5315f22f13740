"""What an erasure has to tell, and what was handed out to a person who asked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape

from connectors.privacy import Erased, Erasure
from connectors.schema import Outcome
from connectors.terminal import Terminal


def handed_out(out: Terminal, shop: str, file: str) -> None:
    told = f"{shop}: a customer asked for their data; hand them {escape(file)}"
    out.tell("data request", told, shop=shop, file=file)


def erased(out: Terminal, done: Erased, left: Sequence[Outcome]) -> None:
    """What has left, what was done to files, and what the shop still shows."""
    audit = done.audit
    rows = ", ".join(f"{table} {count:,}" for table, count in audit.counts.items() if count)
    out.tell(
        "erased",
        f"{audit.shop}: erased ({rows or 'nothing was known'}); tombstones:"
        f" {_first(audit.tombstones)}",
        shop=audit.shop,
        what=audit.what,
        counts=dict(audit.counts),
        tombstones=list(audit.tombstones),
    )
    for path, told in done.files.items():
        out.tell("file", f"  {escape(str(path))}: {told}", file=str(path), told=told)
    for outcome in left:
        out.tell(
            "left",
            f"  the shop still shows our fields on one of them: {escape(outcome.reason)}",
            status=outcome.status,
            reason=outcome.reason,
        )


def erased_so_far(out: Terminal, erasures: Sequence[Erasure]) -> None:
    """The audit lines."""
    columns = ("erased at", "shop", "what", "rows", "tombstones")
    rows = [
        (
            one.erased_at.isoformat(timespec="seconds"),
            one.shop,
            one.what,
            sum(one.counts.values()),
            ",".join(one.tombstones) if out.json else _first(one.tombstones),
        )
        for one in erasures
    ]
    out.table("erasure", "Erasures", columns, rows)


def _first(tombstones: Sequence[str]) -> str:
    """One of them is enough to find an erasure again."""
    more = f" and {len(tombstones) - 1:,} more" if len(tombstones) > 1 else ""
    return f"{tombstones[0]}{more}" if tombstones else ""
