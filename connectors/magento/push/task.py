"""What is to be written to one customer, and what became of a lot of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from connectors.errors import ConnectorError
from connectors.http import masked
from connectors.magento.shown import custom_attributes, custom_values
from connectors.schema import GROUP, Change, Shown

#: A customer as the shop gives it: in memory only, never in a log, an error or the store.
Row = Mapping[str, Any]

NOT_SENT = "not sent: the write-back stopped before this customer"


@dataclass(frozen=True, slots=True)
class Task:
    """One change that is due, and the whole customer as just read. `prefix` is of our codes."""

    change: Change
    shown: Shown
    row: Row = field(repr=False)
    prefix: str

    @property
    def id(self) -> str:
        return self.change.customer_id

    @property
    def values(self) -> list[dict[str, str | None]]:
        """Our attributes that differ, as Magento takes them; "" or null where a value goes."""
        return custom_attributes(self.shown, self.change.after, self.prefix)

    @property
    def group(self) -> int | None:
        """The group that the customer moves to; None where they stay."""
        wanted = self.change.after.get(GROUP)
        return int(wanted) if wanted and wanted != self.shown.get(GROUP) else None

    def theirs(self, codes: Collection[str]) -> list[dict[str, Any]]:
        """The customer's own values of these attributes, to be sent along as they are."""
        return [
            {"attribute_code": code, "value": value}
            for code, value in custom_values(self.row).items()
            if code in codes and value not in (None, "") and not code.startswith(self.prefix)
        ]


@dataclass(frozen=True, slots=True)
class Sent:
    """What the shop said to a lot: by customer id why it failed, "" where it said yes.

    `stopped` is the error that ended the sending; who is missing in `reasons` was not sent.
    """

    reasons: Mapping[str, str]
    stopped: ConnectorError | None = None


class Way(Protocol):
    """One way of writing to a Magento. `canaries` is how many of them go at once."""

    name: str
    batch_size: int
    canaries: int

    def send(self, tasks: Sequence[Task]) -> Sent:
        """Send them all. Errors about single customers are told, one about the shop stops."""


def is_about_the_shop(error: ConnectorError) -> bool:
    """Not about this one customer: no answer, no rights, too fast, maintenance."""
    return error.evidence.get("status") in (None, 401, 403, 429, 503)


def why(error: ConnectorError | None) -> str:
    """The reason in the outcome; "" for no error."""
    if error is None:
        return ""
    said = error.evidence.get("said")
    return f"{error.message}: {said}" if said else error.message


def in_its_words(text: object) -> str:
    """A reason as the shop worded it, without anything like a person."""
    return masked(text) if isinstance(text, str) and text.strip() else "the shop gives no reason"
