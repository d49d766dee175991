"""Whose address a request counts for: the peer's, or behind a trusted proxy the caller's own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

_FORWARDING = re.compile(
    r"via|(x-)?forwarded(-.*)?|.*(client|real|connecting|remote|proxyuser|original)-?_?(ip|addr).*"
    r"|cf-.*|cdn-.*|.*-cdn-.*|fastly-.*|fly-.*|akamai-.*|true-client-.*|incap-.*|x-sucuri-.*"
    r"|x-(envoy|amzn?|azure|appengine|cloud|goog|google|vercel|nf|arr|varnish|haproxy|squid"
    r"|render|railway|heroku|akamai|ms-proxy|original|rewrite|scheme|url-scheme|host|port|proto"
    r"|real|cluster|bluecoat|iinfo)(-.*)?"
    r"|(x-)?proxy-.*|x-forward.*|forwarded-.*|front-end-https|x-request-start|x-queue-start"
)
"""Names of headers that proxies, load balancers and tunnels add. Browsers and clients send none."""


def is_forwarded(headers: Headers) -> bool:
    """Tell whether any header says that something stands between the caller and this server."""
    return any(_FORWARDING.fullmatch(name) for name in headers)


def limit_key(address: str) -> str:
    """Return what an address is counted under: IPv6 by /64, which one caller has to itself."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found) >> 64 << 64, 64)))
    return str(found) if found else address


@dataclass(frozen=True)
class TrustedProxies:
    """Proxies whose word on the caller's address counts."""

    networks: Sequence[str]

    def __contains__(self, address: object) -> bool:
        found = _parsed(str(address))
        return found is not None and any(
            found in network
            for each in self.networks
            if (network := ip_network(each, strict=False))
        )

    def caller(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """Return the caller's address: the last one that no trusted proxy has."""
        chain = [part.strip() for line in forwarded_for for part in line.split(",")]
        address = peer
        while address in self and chain:
            named = _parsed(chain.pop().strip('"'))
            if named is None:
                break
            address = str(named)
        return address


@dataclass
class ForwardedAddress:
    """Puts the caller's own address into the request, where a trusted proxy names it."""

    app: ASGIApp
    proxies: TrustedProxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        if scope["type"] in ("http", "websocket") and self.proxies.networks and scope.get("client"):
            peer, port = scope["client"]
            forwarded_for = Headers(scope=scope).getlist("x-forwarded-for")
            scope["client"] = (self.proxies.caller(peer, forwarded_for), port)
        await self.app(scope, receive, send)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address; an IPv4 one that is written as IPv6 is IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
