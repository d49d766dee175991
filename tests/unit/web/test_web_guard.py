"""The guard: nothing but public http(s) addresses, judged where they resolve to."""

import asyncio
import socket

import pytest

from storecrew.domain.errors import InvalidInput
from storecrew.web.ssrf_guard import OutboundPolicy, Unresolved

INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "0.0.0.0", "100.64.0.1",  # noqa: S104 - none is bound
    "169.254.169.254", "168.63.129.16", "192.0.0.192", "100.100.100.200", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "198.18.0.1",
    "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[fec0::1]",
    "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
]  # fmt: skip
SPELLINGS = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "LOCALHOST"]


@pytest.mark.parametrize("host", INSIDE)
async def test_addresses_inside_are_refused(host):
    with pytest.raises(InvalidInput, match="public address"):
        OutboundPolicy().check(f"http://{host}/")
    with pytest.raises(InvalidInput, match="public address"):
        await OutboundPolicy().target(f"https://{host}:8443/x")


@pytest.mark.parametrize("host", SPELLINGS)
async def test_other_spellings_of_loopback_are_refused(host):
    with pytest.raises(InvalidInput, match="public address"):
        await OutboundPolicy().target(f"http://{host}/")


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "168.63.129.16", "[fd00:ec2::254]", "192.0.0.192", "[fe80::1]"]
)
async def test_the_secrets_of_clouds_stay_closed_even_where_private_networks_are_open(host):
    with pytest.raises(InvalidInput):
        await OutboundPolicy(allow_private=True).target(f"http://{host}/latest/meta-data/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:1",
        "data:text/html,x", "//example.com/", "http://", "http:///x", "",
        "http://user:secret@example.com/", "http://example.com:99999/", "http://[::1/",
        "http://example.com/a b", "http://example.com/a\r\nX: y", "http://example.com/\x00",
    ],
)  # fmt: skip
async def test_what_is_no_plain_web_address_is_refused(url):
    with pytest.raises(InvalidInput):
        OutboundPolicy().check(url, "url")
    with pytest.raises(InvalidInput):
        await OutboundPolicy().target(url, "url")


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700::1111]"])
async def test_public_addresses_pass(host):
    assert (
        await OutboundPolicy().target(f"https://{host}/a?b=1")
    ).url == f"https://{host}:443/a?b=1"


async def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    answers(monkeypatch, ["1.1.1.1", "10.0.0.1"])
    with pytest.raises(InvalidInput, match=r"10\.0\.0\.1"):
        await OutboundPolicy().target("http://shop.example/")


async def test_the_call_goes_to_the_address_that_was_judged(monkeypatch):
    answers(monkeypatch, ["1.1.1.1"], ["127.0.0.1"])  # a name that points elsewhere a moment later
    target = await OutboundPolicy().target("http://shop.example/x")
    assert (target.url, target.host, target.name) == (
        "http://1.1.1.1:80/x", "shop.example", "shop.example",
    )  # fmt: skip


async def test_a_name_without_an_address_may_have_one_later(monkeypatch):
    answers(monkeypatch)
    with pytest.raises(Unresolved):
        await OutboundPolicy().target("http://nobody.example/")


def answers(monkeypatch, *each: list[str]) -> None:
    left = list(each)

    async def resolve(host, port, **options):
        if not left:
            raise socket.gaierror
        return [(0, 0, 0, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
