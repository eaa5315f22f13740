"""Whom a connection reaches: looked at on the connection itself, before a byte is sent.

A name may lead anywhere, and another time elsewhere: so it isn't the name that is judged, nor a
look-up beside the connection, but the address that the socket is connected to. A shop in the cloud
has a public one. A shop of one's own may stand in a private network, but never where machines of a
cloud ask for their own credentials. Behind a proxy it is the proxy that looks names up.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, NamedTuple

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connectors.config import ShopSettings
from connectors.errors import ConfigurationError
from connectors.origin import Origin, is_loopback

#: Where clouds answer their own machines at an address that looks like any other.
#: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 (2026-11-29)
METADATA = frozenset({ip_address("168.63.129.16")})


class Trust(NamedTuple):
    """Whom to believe on the other side.

    public  only hosts with a public address: true for shops in the cloud
    bundle  certificates of the authorities to trust in place of the usual ones; empty: the usual
    """

    public: bool = False
    bundle: Path | None = None

    @classmethod
    def of(cls, settings: ShopSettings) -> Trust:
        """As a shop's owner has set it."""
        return cls(settings.in_the_cloud, settings.ca_bundle)


def refused(address: IPv4Address | IPv6Address, *, public: bool, loopback: bool) -> bool:
    """Whether nothing may be sent there."""
    address = getattr(address, "ipv4_mapped", None) or address
    if loopback:
        return not address.is_loopback
    never = address.is_link_local or address.is_multicast or address.is_unspecified
    return never or address in METADATA or (public and not address.is_global)


class Reach(HTTPAdapter):
    """Connects to `origin` alone where that leads to an address that fits."""

    def __init__(self, origin: Origin, setting: str, *, public: bool) -> None:
        self._pools = _pools(origin, setting, public)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = self._pools


def _pools(origin: Origin, setting: str, public: bool) -> dict[str, Any]:
    """Connection pools whose connections look before they speak."""

    class Looking:
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()  # type: ignore[misc]
            address = ip_address(connected.getpeername()[0].partition("%")[0])
            if refused(address, public=public, loopback=is_loopback(origin.host)):
                connected.close()
                raise _led_astray(origin, setting, public)
            return connected

    class Clear(Looking, HTTPConnection):
        pass

    class Secured(Looking, HTTPSConnection):
        pass

    class ClearPool(HTTPConnectionPool):
        ConnectionCls = Clear

    class SecuredPool(HTTPSConnectionPool):
        ConnectionCls = Secured

    return {"http": ClearPool, "https": SecuredPool}


def _led_astray(origin: Origin, setting: str, public: bool) -> ConfigurationError:
    where = "a private address" if public else "an address of the machine's own network"
    return ConfigurationError(
        f"{origin.host} leads to {where}; nothing was sent",
        mend=f"Check {setting} and how this machine looks names up (hosts file, DNS).",
    )
