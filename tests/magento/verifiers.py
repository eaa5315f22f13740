"""Two verifiers of OAuth 1.0a signatures that share no code with ours: the standard, and Magento's.

RFC 5849, 3.4, and Request.php, Signature/Hmac.php and Signature/Hmac256.php in
https://github.com/magento/magento2/tree/2.4-develop/lib/internal/Magento/Framework/Oauth/Helper
(read 2026-11-23) with PHP's functions spelt out.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import unquote, unquote_plus, urlsplit

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def rawurlencode(text: str) -> str:
    return "".join(
        chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in text.encode("utf-8")
    )


def oauth_fields(header: str) -> dict[str, str]:
    """What stands in an Authorization header: split at commas, whatever they mean."""
    assert header.startswith("OAuth ")
    pairs = (part.strip().partition("=") for part in header.removeprefix("OAuth ").split(","))
    return {unquote(name): unquote(value.strip('"')) for name, _, value in pairs}


def _signed(method: str, address: str, parameters: str, secrets: tuple[str, str]) -> str:
    base = "&".join(map(rawurlencode, (method.upper(), address, parameters)))
    key = "&".join(map(rawurlencode, secrets))
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode()


# ------------------------------------------------------------------------------------ the standard


def standard(method: str, url: str, header: str, secrets: tuple[str, str]) -> str:
    """The signature by RFC 5849: parameters sorted by bytes, the port unless it is the usual."""
    parts = urlsplit(url)
    pairs = [
        tuple(unquote_plus(half) for half in pair.partition("=")[::2])
        for pair in parts.query.split("&")
        if pair
    ]
    pairs += [pair for pair in oauth_fields(header).items() if pair[0] != "oauth_signature"]
    encoded = sorted((rawurlencode(name), rawurlencode(value)) for name, value in pairs)
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    address = f"{parts.scheme}://{(parts.hostname or '').lower()}{port}{parts.path or '/'}"
    return _signed(method, address, "&".join("=".join(pair) for pair in encoded), secrets)


# ----------------------------------------------------------------------------------------- Magento

Decode = Literal["rawurldecode", "urldecode"]  # until and since Laminas came in


def magento(
    method: str,
    url: str,
    header: str,
    secrets: tuple[str, str],
    *,
    decode: Decode = "rawurldecode",
    port: bool = False,
) -> str:
    """The signature as Magento reckons it. `port`: whether its web server passes the port on."""
    decoded: Callable[[str], str] = unquote if decode == "rawurldecode" else unquote_plus
    parameters = oauth_fields(header)
    for pair in urlsplit(url).query.split("&"):
        halves = pair.split("=")
        if len(halves) == 2 and not re.search(r"oauth_[a-z_-]+", halves[0]):
            parameters[decoded(halves[0])] = decoded(halves[1])  # an array: the last one counts
    del parameters["oauth_signature"]
    encoded = {rawurlencode(name): rawurlencode(value) for name, value in parameters.items()}
    names = sorted(encoded, key=functools.cmp_to_key(strnatcmp))
    query = "&".join(f"{name}={encoded[name]}" for name in names)
    return _signed(method, _address(url, port=port), query, secrets)


def _address(url: str, *, port: bool) -> str:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[parts.scheme]
    shown = f":{parts.port}" if port and parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{host}{shown}{parts.path}"


def strnatcmp(a: str, b: str) -> int:
    """PHP's natural order: numbers inside a text count as numbers, 2 before 10.

    https://github.com/php/php-src/blob/master/ext/standard/strnatcmp.c (read 2026-11-23)
    """
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i].isdigit() and b[j].isdigit():
            of_a, of_b = _run(a, i), _run(b, j)
            fraction = "0" in (a[i], b[j])
            order = _left(of_a, of_b) if fraction else _right(of_a, of_b)
            if order:
                return order
            i, j = i + len(of_a), j + len(of_b)
            continue
        if a[i] != b[j]:
            return -1 if a[i] < b[j] else 1
        i, j = i + 1, j + 1
    return (i < len(a)) - (j < len(b))


def _run(text: str, start: int) -> str:
    end = start
    while end < len(text) and text[end].isdigit():
        end += 1
    return text[start:end]


def _right(a: str, b: str) -> int:
    """Whole numbers: the longer is the greater."""
    return _order(len(a), len(b)) or _order(a, b)


def _left(a: str, b: str) -> int:
    """Numbers that begin with a zero are read as fractions: digit by digit."""
    return _order(a, b)


def _order(a: Any, b: Any) -> int:
    return (a > b) - (a < b)
