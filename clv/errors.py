"""What the engine refuses, each with the numbers that led to it.

ClvError
├── NotEnoughData      too few customers or repeat purchases for this model
├── ConvergenceError   the likelihood has no maximum that could be found
├── NamedModelFails    the model that was asked for can't be fitted: name another, or none
├── BadSummary         a summary frame that can't be right: look at this column
├── BadTransactions    a transactions frame that can't be right: this column, and its mend
└── BadSettings        a setting of the scores that can't be meant
"""

from __future__ import annotations


class ClvError(Exception):
    """The root. `numbers` are shown as key=value behind the message, in one line."""

    def __init__(self, message: str, **numbers: object) -> None:
        self.message = message
        self.numbers = numbers
        super().__init__(str(self))

    def __str__(self) -> str:
        facts = " ".join(f"{name}={value}" for name, value in self.numbers.items())
        return f"{self.message} ({facts})" if facts else self.message


class NotEnoughData(ClvError):
    """The model needs more customers than there are. Use a simpler one."""


class ConvergenceError(ClvError):
    """No start led to a maximum of the likelihood."""


class NamedModelFails(ClvError):
    """The model that was asked for by name can't be fitted to this shop."""


class BadSummary(ClvError):
    """A column of the summary is missing or holds values that can't be. `rows` says how many."""

    def __init__(self, message: str, *, column: str, rows: int, **numbers: object) -> None:
        self.column = column
        self.rows = rows
        super().__init__(message, column=column, rows=rows, **numbers)


class BadTransactions(ClvError):
    """A column of the transactions is missing or holds what can't be; `mend` says what helps."""

    def __init__(
        self, message: str, *, column: str, rows: int, mend: str, **numbers: object
    ) -> None:
        self.column = column
        self.rows = rows
        self.mend = mend
        super().__init__(message, column=column, rows=rows, **numbers)

    def __str__(self) -> str:
        return f"{super().__str__()}. {self.mend}"


class BadSettings(ClvError):
    """A setting out of its range."""
