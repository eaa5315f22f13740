"""From a variable's text to its value; a ValueError tells what was expected instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from connectors.origin import is_loopback, may_sign_in, origin_of
from connectors.schema import RULES, Rule

T = TypeVar("T")

#: Names and the cumulated share of value at which each ends.
Tiers = tuple[tuple[str, float], ...]

#: The tier of customers who are too new to tell.
NEW = "new"

#: No tier of CLV_TIERS may be called so; the tag `clv-ignore` keeps us off a customer.
TAKEN = {NEW, "ignore"}


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    return lambda text: parse(text) if text else None


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d+", text) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}, please")
        return int(text)

    return parse


def within(low: str, high: str) -> Callable[[str], Decimal]:
    def parse(text: str) -> Decimal:
        number = Decimal(text)
        if not Decimal(low) <= number <= Decimal(high):
            raise ValueError(f"a number from {low} to {high}, please")
        return number

    return parse


def rule(text: str) -> Rule:
    for rule in RULES:
        if rule == text:
            return rule
    raise ValueError("one of " + ", ".join(RULES))


def email_key(text: str) -> str:
    if text and len(text.encode()) < 16:
        raise ValueError("at least 16 characters (or leave it out and one is made)")
    return text


def address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("an address like https://shop.example.com, please")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("the bare address, without user, query or fragment")
    if parts.path.rstrip("/").rpartition("/")[2].lower() in ("rest", "v1", "graphql"):
        raise ValueError("the base address, without /rest, /V1 or /graphql at its end")
    return text


def sign_in(text: str) -> str:
    if text and not may_sign_in(text):
        raise ValueError("an https address of adobelogin.com (or leave it out)")
    return text


def webhook(text: str) -> str:
    """Where a message goes; what follows the host may be a secret, so it must not go in clear."""
    origin = origin_of(text)
    if text and (origin is None or not (origin.scheme == "https" or is_loopback(origin.host))):
        raise ValueError("an https address, please")
    return text


def endpoint(text: str) -> str:
    origin = origin_of(text)
    if text and (origin is None or "?" in text or "#" in text):
        raise ValueError("an address like http://localhost:4318, please")
    return text


def headers(text: str) -> Mapping[str, str]:
    """`name=value,name=value`, as OpenTelemetry has them."""
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    if not all(re.fullmatch(r"[A-Za-z0-9-]+", name) and value for name, _, value in pairs):
        raise ValueError("pairs like api-key=..., please, parted by commas")
    return {name: unquote(value) for name, _, value in pairs}


def store_code(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,31}", text):
        raise ValueError("a store view's code: letters, digits and _, a letter first")
    return text


def attribute_prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,29}", text):
        raise ValueError("letters, digits and _, a letter first")
    return text


def locale(text: str) -> str:
    if not re.fullmatch(r"(en|sv|da|nb|no|pl)([_-][A-Z]{2})?", text):
        raise ValueError("en, sv, da, nb or pl, also with a country, like sv_SE")
    return text


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError("one of " + ", ".join(words))
        return text

    return parse


def switch(text: str) -> bool:
    return one_of("yes", "no")(text) == "yes"


def groups(tiers: Collection[str]) -> Callable[[str], Mapping[str, str]]:
    """`high:5,low:6`: tier -> id of a customer group. Group 0 is Magento's for guests."""

    def parse(text: str) -> Mapping[str, str]:
        pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
        found = {tier.strip(): group.strip() for tier, _, group in pairs}
        if not all(re.fullmatch(r"[1-9]\d{0,8}", group) for group in found.values()):
            raise ValueError("tiers with the ids of customer groups, like high:5,low:6")
        if len(found) < len(pairs) or not set(found) <= set(tiers):
            raise ValueError("each tier once, and only tiers of CLV_TIERS or " + repr(NEW))
        return found

    return parse


def currency(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError("three capital letters like EUR, please")
    return text


def tiers(text: str) -> Tiers:
    """`high:0.5,medium:0.8,low:1`: tier -> the cumulated share of value at which it ends."""
    pairs = [part.strip().partition(":") for part in text.split(",")]
    tiers = tuple((name.strip(), float(share)) for name, _, share in pairs)
    shares = [share for _, share in tiers]
    if shares != sorted(set(shares)) or shares[-1] != 1 or shares[0] <= 0:
        raise ValueError("the shares must rise to 1, like high:0.5,medium:0.8,low:1")
    if not all(re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name) for name, _ in tiers):
        raise ValueError("tier names are lower-case letters, digits and hyphens")
    if len({name for name, _ in tiers} | TAKEN) < len(tiers) + len(TAKEN):
        raise ValueError(f"tier names must differ, and {' and '.join(sorted(TAKEN))} are taken")
    return tiers
