"""Keep plaintext on this machine: as long as connections are not encrypted, only loopback addresses will do."""

from __future__ import annotations

import ipaddress


class NotLoopbackError(ValueError):
    """The address is not one of this machine's loopback addresses."""


def is_loopback(host: str) -> bool:
    """Tell whether a host, a name or an address without port, never leaves this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def require_loopback(address: str) -> str:
    """Return `host:port` as it came; raise NotLoopbackError if the host is not loopback."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not is_loopback(host):
        text = f"{address!r} is not host:port on this machine, and connections are not encrypted yet"
        raise NotLoopbackError(text)
    return address
