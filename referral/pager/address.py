"""May we send something to this address, which somebody typed into a setting?"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from urllib.parse import urlsplit

from referral.errors import ReferralError


class AddressForbidden(ReferralError):
    """This address leads into a private network, or is not https."""


async def public_address(url: str) -> str:
    """The IP address to connect to, looked up once so that the name cannot change its mind in between.

    Raises ``AddressForbidden`` unless every address of the name is public and the scheme is https, and
    ``OSError`` when the name is not known.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise AddressForbidden
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise AddressForbidden
    return addresses[0]


def is_public(address: str) -> bool:
    """True for an address that everybody on the internet may reach, however it is wrapped."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    # Each of these forms carries an IPv4 address that a gateway would unwrap.
    wrapped = ip.version == 6 and bool(ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip in _NAT64)
    return ip.is_global and not ip.is_multicast and not wrapped


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
