from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from babel import Locale

from connectors.errors import ConfigurationError
from connectors.report.spoken import LANGUAGES, Spoken, words

PAGES = Path(__file__).resolve().parents[2] / "connectors" / "report"
CODE = "\n".join(
    path.read_text(encoding="utf-8") for path in [*PAGES.rglob("*.html"), *PAGES.rglob("*.py")]
)
#: Texts whose key is put together: `action_` and the kind of an action, ...
FAMILIES = (
    "action_",
    "abc_",
    "bridge_",
    "by_",
    "cohort_",
    "col_",
    "reason_",
    "rfm_",
    "verdict_",
    "why_",
    "movement_",
    "message_",
)


def forms(text: object) -> Iterator[str]:
    yield from map(str, text.values() if isinstance(text, Mapping) else [text])


def facts(text: object) -> list[set[str]]:
    return [set(re.findall(r"\{(\w+)\}", form)) for form in forms(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_with_the_same_facts(language: str) -> None:
    english, other = words("en"), words(language)
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert {frozenset(f) for f in facts(other[key])} == {frozenset(f) for f in facts(text)}, key
        assert isinstance(other[key], Mapping) == isinstance(text, Mapping)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_form_of_the_language_is_there(language: str) -> None:
    needed = {Locale.parse(language).plural_form(n) for n in range(200)}
    for key, text in words(language).items():
        if isinstance(text, Mapping):
            assert needed <= set(text), key


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_texts_are_translated(language: str) -> None:
    english, other = words("en"), words(language)
    long = [key for key, text in english.items() if len(str(text)) > 25]
    assert [key for key in long if other[key] == english[key]] == []


def test_every_text_is_used() -> None:
    lone = [key for key in words("en") if not key.startswith(FAMILIES)]
    assert [key for key in lone if f'"{key}"' not in CODE and f"'{key}'" not in CODE] == []


def test_a_number_chooses_its_plural_form() -> None:
    polish = Spoken.of("pl", "PLN")
    told = [polish.text("why_ordered", n=n) for n in (1, 3, 5)]
    assert [text.rpartition(" ")[2] for text in told] == ["zamówienie", "zamówienia", "zamówień"]
    assert "1 zam" in told[0]
    assert Spoken.of("en", "EUR").text("why_ordered", n=1234) == "1,234 orders since"


@pytest.mark.parametrize("name", ["fi", "xx", "", "en_QQQ", "../en", "english"])
def test_a_language_that_nobody_wrote_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="sv_SE"):
        Spoken.of(name, "EUR")
