"""The SSRF guard of calls to given addresses: http(s) only, public, pinned.

A name is resolved once, each of its addresses is judged, and the call goes to the address that
was judged: a name that points elsewhere a moment later gains nothing. Redirects are not followed
here: whoever follows one asks again.
"""

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from storecrew.domain.errors import InvalidInput, Retryable

_PORTS = {"http": 80, "https": 443}
_UNICAST = ip_network("2000::/3")
"""The only part of IPv6 that is public; the rest reaches private IPv4 by translation (NAT64)."""
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200")
) | {ip_address("fd00:ec2::254")}
"""Where clouds answer with secrets; some of them are public or private addresses by number."""


class Unresolved(Retryable):
    """The name of a host has no address now."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the host {host!r} has no address; is its name right?")
        self.host = host


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a call goes: a URL whose host is an address that was judged."""

    url: str
    host: str
    """For the Host header, with the port where it is not the usual one."""
    name: str
    """For TLS: the name that the certificate must bear."""


@dataclass(frozen=True)
class OutboundPolicy:
    """Says where the plane may call."""

    allow_private: bool = False
    """Whether private networks and this machine may be called. Link-local addresses, where clouds
    keep their secrets, never are."""
    setting: str = "remote_agents.allow_private"
    """Named in a refusal: what an owner would have to set."""

    def check(self, url: str, field: str = "endpoint") -> None:
        """Raise `InvalidInput` where the URL itself shows that it must not be called."""
        parts = _split(url, field)
        try:
            address = ip_address(parts[1])
        except ValueError:
            if parts[1] == "localhost" and not self.allow_private:
                raise self._refusal(field, parts[1]) from None
            return
        if not self._may_call(address):
            raise self._refusal(field, str(address))

    async def target(self, url: str, field: str = "endpoint") -> Target:
        """Resolve the URL's host and return where to call; raises `InvalidInput` or `Unresolved`.

        One forbidden address among several is enough to refuse.
        """
        scheme, host, port, rest = _split(url, field)
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unresolved(host) from error
        addresses = [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
        for address in addresses:
            if not self._may_call(address):
                raise self._refusal(field, str(address))
        pinned = f"[{addresses[0]}]" if addresses[0].version == 6 else str(addresses[0])
        named = f"[{host}]" if ":" in host else host
        shown = named if port == _PORTS[scheme] else f"{named}:{port}"
        return Target(url=f"{scheme}://{pinned}:{port}{rest}", host=shown, name=host)

    def _may_call(self, address: IPv4Address | IPv6Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            address = mapped
        if address.is_multicast or address.is_link_local or address.is_unspecified:
            return False
        if address in _METADATA:
            return False
        if _is_public(address):
            return True
        return self.allow_private and (address.is_private or address.is_loopback)

    def _refusal(self, field: str, address: str) -> InvalidInput:
        why = f"must be a public address; {self.setting} admits private networks"
        return InvalidInput(field, f"{address} {why}")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether the address belongs to the public internet, and hides no other one."""
    if isinstance(address, IPv4Address):
        return address.is_global
    hides = address.sixtofour is not None or address.teredo is not None
    return address.is_global and address in _UNICAST and not hides


def _split(url: str, field: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and the rest of a URL that may be called at all."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput(field, f"{url!r} is no URL") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidInput(field, "must be an http or https URL with a host")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(field, "must not carry a password")
    if any(ord(c) <= 32 or ord(c) == 127 for c in url):  # a line break would begin a header
        raise InvalidInput(field, "must not have spaces or control characters")
    query = f"?{parts.query}" if parts.query else ""
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme], f"{parts.path or '/'}{query}"
