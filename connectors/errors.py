"""What can go wrong on the way to and from a shop, by what the reader can do about it.

ConnectorError
├── ConfigurationError      mend the settings, the command or the file           exit 1
├── AuthenticationError     mend the credentials or their rights                 exit 12
├── ShopUnavailable         nothing to mend here: try again later                exit 13
├── RequestRefused          the shop understood and said no to this request      exit 1
├── PayloadError            one row to look at; the others go on                 exit 3
├── GuardStopped            a limit that the owner set stopped the write-back    exit 14
├── StalePlan               the plan is older than the shop: plan anew           exit 15
├── Interrupted             somebody stopped the run; run it again               exit 130
└── StoreError              the order store can't be used as it is               exit 16
    └── StoreLocked         another run holds it                                 exit 11

Every error is one line: what happened, the evidence, the mend. Never a secret or a person's data.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Exit codes, the worst first: somebody stopped it, nothing works here, a person is needed, a
#: limit was kept, time may mend it, single rows.
WORST_FIRST = (130, 16, 11, 12, 1, 14, 15, 13, 3, 0)


def worst(exit_codes: Iterable[int]) -> int:
    """The code of several runs as one."""
    return min(exit_codes, key=WORST_FIRST.index, default=0)


class ConnectorError(Exception):
    """The root. `evidence` (platform, request id, field path, ...) is shown as key=value."""

    exit_code = 1

    def __init__(self, message: str, *, mend: str = "", **evidence: object) -> None:
        self.message = message
        self.mend = mend
        self.evidence = evidence
        super().__init__(str(self))

    def __str__(self) -> str:
        facts = " ".join(f"{k}={v}" for k, v in self.evidence.items() if v is not None)
        told = f"{self.message} ({facts})" if facts else self.message
        return f"{told}. {self.mend}" if self.mend else told


class ConfigurationError(ConnectorError):
    """A setting, an argument or an input file is missing or wrong."""


class AuthenticationError(ConnectorError):
    """The shop refuses the credentials or what they may do."""

    exit_code = 12


class ShopUnavailable(ConnectorError):
    """The shop can't be reached, or kept failing after every allowed retry."""

    exit_code = 13


class RequestRefused(ConnectorError):
    """The shop refused one request for its content; asking again can't succeed."""


class PayloadError(ConnectorError):
    """A row that can't be read. `field` is its path inside the payload."""

    exit_code = 3

    def __init__(self, message: str, *, field: str, mend: str = "", **evidence: object) -> None:
        self.field = field
        super().__init__(message, mend=mend, field=field, **evidence)


class GuardStopped(ConnectorError):
    """More would be written than the owner allowed."""

    exit_code = 14


class StalePlan(ConnectorError):
    """The plan file no longer describes the shop, or was changed by hand."""

    exit_code = 15


class Interrupted(ConnectorError):
    """The run was asked to stop and did, between two commits."""

    exit_code = 130


class StoreError(ConnectorError):
    """The order store is unreadable, unwritable, or of a newer version."""

    exit_code = 16


class StoreLocked(StoreError):
    """Another run holds the single-writer lock."""

    exit_code = 11
