"""From which network does somebody come, as far as we can tell?"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: A household or an office has a network of this size, and changes its addresses within at will.
_IPV6_PREFIX = 64


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a setting, ``192.0.2.0/24, 2001:db8::/32``; raises ``ValueError``."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def sender(peer: str | None, *, forwarded: str, proxies: Sequence[Network]) -> Address | None:
    """Who sent a request; none where a proxy that we were not told of stands between.

    Of ``X-Forwarded-For`` only what our own proxies have added counts: the last that is none of theirs.
    """
    address = _address(peer or "")
    if not forwarded or address is None:
        return address
    if not within(address, proxies):
        return None
    for part in reversed(forwarded.split(",")):
        address = _address(part.strip())
        if address is None or not within(address, proxies):
            return address
    return None


def network_of(address: Address | None) -> str | None:
    """What counts as one place when wrong passwords are counted."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
    return str(address) if address else None


def within(address: Address, known: Sequence[Network]) -> bool:
    """True when the address lies in one of these networks."""
    return any(address in network for network in known)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
