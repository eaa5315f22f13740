"""Where credentials may go: the one scheme, host and port that the owner named for the shop."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from connectors.errors import ConfigurationError

PORTS = {"https": 443, "http": 80}


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def origin_of(url: str) -> Origin | None:
    """The origin as the parser sees it that will connect; None where in doubt."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    if "\\" in url or parts.auth is not None or not parts.host or parts.scheme not in PORTS:
        return None
    return Origin(parts.scheme, parts.host, parts.port or PORTS[parts.scheme])


def checked_origin(url: str, setting: str) -> Origin:
    """The origin of a shop's address; ConfigurationError unless it is https, or loopback."""
    origin = origin_of(url)
    if origin is None or "?" in url or "#" in url:
        raise ConfigurationError(
            "the shop's address is no plain URL",
            mend=f"Set {setting} to something like https://shop.example.com.",
        )
    if origin.scheme == "http" and not is_loopback(origin.host):
        raise ConfigurationError(
            "plain http would send the credentials in clear",
            mend=f"Set {setting} to an https address.",
            to=origin,
        )
    return origin


def may_sign_in(url: str) -> bool:
    """Whether Adobe's client secret may go there: to Adobe itself, or to loopback in tests."""
    origin = origin_of(url)
    if origin is None or "?" in url or "#" in url:
        return False
    adobe = origin.host.endswith(".adobelogin.com") and origin.scheme == "https"
    return adobe or is_loopback(origin.host)


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
