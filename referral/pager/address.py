"""May we send something to this address, which somebody typed into a setting?"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

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


async def guarded_post(
    client: httpx.AsyncClient,
    url: str,
    *,
    body: bytes,
    headers: dict[str, str],
    private: bool,
    within: timedelta,
) -> httpx.Response:
    """Post to an address that somebody typed in; ``private`` says that it may lead anywhere.

    Raises ``AddressForbidden``, ``OSError`` and what httpx raises. The client must not follow redirects.
    """
    target = httpx.URL(url)
    extensions: dict[str, Any] = {"timeout": httpx.Timeout(within.total_seconds()).as_dict()}
    if not private:
        address = await public_address(url)
        headers = {**headers, "host": target.netloc.decode()}
        extensions["sni_hostname"] = target.host
        target = target.copy_with(host=address)
    request = client.build_request("POST", target, content=body, headers=headers, extensions=extensions)
    return await client.send(request)


def is_public(address: str) -> bool:
    """True for an address that everybody on the internet may reach, however it is wrapped."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    # Each of these forms carries an IPv4 address that a gateway would unwrap.
    wrapped = ip.version == 6 and bool(ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip in _NAT64)
    return ip.is_global and not ip.is_multicast and not wrapped


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
