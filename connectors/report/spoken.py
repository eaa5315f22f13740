"""One language and its locale: the report's texts, and how money, numbers and days are written.

Texts stand in `words/<language>.toml`. A text with several plural forms is a table by CLDR's
category (one, few, many, other); https://cldr.unicode.org/index/cldr-spec/plural-rules.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

from connectors.errors import ConfigurationError

LANGUAGES = ("en", "sv", "da", "nb", "pl")
#: What a figure shows that nobody knows.
UNKNOWN = "\u2013"

Number = int | float | Decimal


@cache
def words(language: str) -> Mapping[str, Any]:
    """All texts of a language by key."""
    text = files("connectors.report").joinpath("words", f"{language}.toml")
    return tomllib.loads(text.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Spoken:
    """Texts, money, numbers and days in one locale, amounts in one currency."""

    locale: Locale
    currency: str

    @classmethod
    def of(cls, name: str, currency: str) -> Spoken:
        """The locale of that name, such as `sv`, `sv_SE` or `nb-NO`. Raises ConfigurationError."""
        try:
            locale = Locale.parse(name.replace("-", "_").strip())
        except (UnknownLocaleError, ValueError):
            locale = None
        known = "nb" if locale and locale.language == "no" else locale and locale.language
        if locale is None or known not in LANGUAGES:
            raise ConfigurationError(
                f"no report is written in {name!r}",
                mend=f"Name one of {', '.join(LANGUAGES)}, also with a country, such as sv_SE.",
            )
        return cls(Locale.parse("nb_NO") if locale.language == "no" else locale, currency)

    @property
    def language(self) -> str:
        return str(self.locale.language)

    @property
    def tag(self) -> str:
        """As HTML and browsers write it: `sv-SE`."""
        return str(self.locale).replace("_", "-")

    def text(self, key: str, **facts: Any) -> str:
        """A text with its facts put in; `n`, where the text has plural forms, chooses among them.

        Raises KeyError where there is no such text.
        """
        found = words(self.language)[key]
        if isinstance(found, Mapping):
            n: Number = facts["n"]
            found = found.get(self.locale.plural_form(n), found["other"])
            facts = {**facts, "n": self.number(n)}
        return str(found).format(**facts) if facts else str(found)

    def money(self, amount: Number | None, *, cents: bool = False) -> str:
        """An amount with its currency, whole unless asked for to the cent."""
        if amount is None:
            return UNKNOWN
        if cents:
            return str(format_currency(amount, self.currency, locale=self.locale))
        pattern = self.locale.currency_formats["standard"].pattern.replace(".00", "")
        return str(
            format_currency(
                amount, self.currency, format=pattern, locale=self.locale, currency_digits=False
            )
        )

    def number(self, value: Number | None, digits: int = 0) -> str:
        if value is None:
            return UNKNOWN
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return str(format_decimal(_plain(value, digits), format=pattern, locale=self.locale))

    def percent(self, share: Number | None, digits: int = 0) -> str:
        if share is None:
            return UNKNOWN
        pattern = self.locale.percent_formats[None].pattern
        if digits:  # the sign and what stands before it are the locale's own
            pattern = "#,##0." + "0" * digits + pattern[pattern.rindex("0") + 1 :]
        return str(format_percent(_plain(share, digits + 2), format=pattern, locale=self.locale))

    def day(self, day: date | str | None) -> str:
        if day is None:
            return UNKNOWN
        given = date.fromisoformat(day) if isinstance(day, str) else day
        return str(format_date(given, format="medium", locale=self.locale))

    def month(self, day: date) -> str:
        return str(format_date(day, format="MMM yyyy", locale=self.locale))

    def month_name(self, number: int) -> str:
        return str(self.locale.months["stand-alone"]["abbreviated"][number])

    def country(self, code: str | None) -> str | None:
        """A country's name; the code where it is of none that we know."""
        return code and str(self.locale.territories.get(code, code))

    def d3(self) -> dict[str, Any]:
        """How charts write numbers: the locale as Vega's formatter takes it."""
        symbols = self.locale.number_symbols["latn"]
        return {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", ""],
        }


def _plain(value: Number, digits: int) -> Number:
    """Zero where the value would be written as minus zero."""
    return 0 if round(value, digits) == 0 else value
