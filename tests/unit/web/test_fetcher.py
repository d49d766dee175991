"""The fetcher against real servers on loopback: polite, bounded, and never sent inside."""

import asyncio
import gzip
import zlib
from datetime import UTC, datetime

import pytest
from web_site import Answer, Site

from storecrew.domain.errors import InvalidInput
from storecrew.web.errors import PageRefused, PageUnreachable, RetryLater, RobotsForbid
from storecrew.web.fetcher import Fetcher
from storecrew.web.settings import FetchSettings
from storecrew.web.ssrf_guard import OutboundPolicy


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 5, 4, 12, tzinfo=UTC)


def fetcher(folder=None, **given) -> Fetcher:
    usual = {
        "request_interval": 0.0,
        "timeout": 2.0,
        "allow_private": True,
        "contact": "ops@shop.example",
    }
    return Fetcher(FetchSettings(**usual | given), Noon(), folder=folder)


@pytest.fixture
async def site():
    async with Site().serving() as one:
        yield one


@pytest.fixture
async def web():
    async with fetcher() as one:
        yield one


def page(text: str = "<p>hello</p>", **given) -> Answer:
    return Answer(text.encode(), **given)


def to(url: str) -> Answer:
    return Answer(status="302 Found", headers=(f"Location: {url}",))


async def test_a_page_is_read_once_robots_txt_was_asked(site, web):
    site.pages["/a"] = page()
    found = await web.fetch(site.url("/a#part"))
    assert found.content == b"<p>hello</p>"
    assert (found.media_type, found.charset, found.unchanged) == ("text/html", "utf-8", False)
    assert site.paths == ["/robots.txt", "/a"]


async def test_it_says_who_asks_and_nothing_else(site, web):
    site.pages["/a"] = page(headers=("Set-Cookie: id=1; Path=/",))
    await web.fetch(site.url("/a"))
    await web.fetch(site.url("/a"))
    names = {"host", "user-agent", "accept", "accept-encoding", "connection"}
    for _, headers in site.asked:
        assert set(headers) <= names
        assert headers["user-agent"].startswith("storecrew/")
        assert "ops@shop.example" in headers["user-agent"]


async def test_robots_txt_is_obeyed_and_remembered(site, web):
    site.pages["/robots.txt"] = Answer(
        b"User-agent: *\nDisallow: /\n\nUser-agent: storecrew\nDisallow: /private\n"
    )
    site.pages["/a"] = site.pages["/private/a"] = page()
    for _ in range(2):
        await web.fetch(site.url("/a"))
        with pytest.raises(RobotsForbid):
            await web.fetch(site.url("/private/a"))
    assert site.paths == ["/robots.txt", "/a", "/a"]


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Many"])
async def test_nothing_is_read_while_robots_txt_cannot_be(site, web, status):
    site.pages["/robots.txt"] = Answer(status=status)
    site.pages["/a"] = page()
    for _ in range(2):
        with pytest.raises(PageUnreachable, match=r"robots\.txt"):
            await web.fetch(site.url("/a"))
    assert site.paths == ["/robots.txt"]


async def test_a_redirected_page_must_be_allowed_too(site, web):
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /private")
    site.pages["/a"] = to("/private/b")
    with pytest.raises(RobotsForbid):
        await web.fetch(site.url("/a"))


async def test_the_crawl_delay_is_kept(site):
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 0.2")
    site.pages["/a"] = page()
    loop = asyncio.get_running_loop()
    async with fetcher() as web:
        began = loop.time()
        for _ in range(3):
            await web.fetch(site.url("/a"))
        assert loop.time() - began >= 0.4
    site.pages["/robots.txt"] = Answer(b"User-agent: *\nCrawl-delay: 500")
    async with fetcher() as web:
        await web.fetch(site.url("/a"))
        with pytest.raises(RetryLater) as error:
            await web.fetch(site.url("/a"))
        assert 490 < error.value.seconds <= 500


async def test_redirects_are_followed_and_each_is_judged(site, web):
    site.pages |= {"/a": to("/b"), "/b": to("c"), "/c": page("there")}
    assert (await web.fetch(site.url("/a"))).url == site.url("/c")
    site.pages["/loop"] = to("/loop")
    with pytest.raises(PageRefused, match="redirects"):
        await web.fetch(site.url("/loop"))
    assert site.paths.count("/loop") == 6
    for inside in ("http://169.254.169.254/latest", "file:///etc/passwd", "http://[::]/"):
        site.pages["/out"] = to(inside)
        with pytest.raises(InvalidInput):
            await web.fetch(site.url("/out"))


async def test_a_public_page_cannot_send_us_inside(site, monkeypatch):
    """The first address counts as public here; only what it redirects to is loopback."""
    site.pages["/a"] = to(site.url("/secret", host="localhost"))
    site.pages["/secret"] = page("secret")
    judged = OutboundPolicy.check

    def public(guard, url, field="endpoint"):
        if not url.startswith(site.url("")):
            judged(guard, url, field)

    async def target(guard, url, field="endpoint"):
        assert url.startswith(site.url(""))
        policy = OutboundPolicy(allow_private=True)
        return await OutboundPolicy.target_as_it_is(policy, url, field)  # type: ignore[attr-defined]

    monkeypatch.setattr(OutboundPolicy, "target_as_it_is", OutboundPolicy.target, raising=False)
    monkeypatch.setattr(OutboundPolicy, "check", public)
    monkeypatch.setattr(OutboundPolicy, "target", target)
    async with fetcher(allow_private=False) as web:
        with pytest.raises(InvalidInput, match="public address"):
            await web.fetch(site.url("/a"))
    assert "/secret" not in site.paths


async def test_loopback_is_refused_without_the_owners_word(site):
    async with fetcher(allow_private=False) as web:
        for host in ("127.0.0.1", "localhost", "2130706433"):
            with pytest.raises(InvalidInput, match="public address"):
                await web.fetch(site.url("/a", host=host))
    assert site.asked == []


async def test_the_name_is_resolved_once_and_kept_to(site, web, monkeypatch):
    """DNS rebinding: the second answer for the name would be another address."""
    asked = []
    real = asyncio.get_running_loop().getaddrinfo

    async def resolve(host, port, **options):
        if host != "shop.example":
            return await real(host, port, **options)
        asked.append(host)
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    site.pages["/a"] = page()
    await web.fetch(site.url("/a", host="shop.example"))
    assert len(asked) == len(site.asked) == 2  # robots.txt and the page
    assert {headers["host"] for _, headers in site.asked} == {f"shop.example:{site.port}"}


@pytest.mark.parametrize("status", ["404 Gone", "403 No", "410 Gone", "401 Who"])
async def test_a_page_that_is_not_for_us_is_final(site, web, status):
    site.pages["/a"] = Answer(status=status)
    with pytest.raises(PageRefused) as error:
        await web.fetch(site.url("/a"))
    assert error.value.status == int(status[:3])


async def test_a_broken_site_may_be_asked_again(site, web):
    site.pages["/a"] = Answer(status="500 Oops")
    with pytest.raises(PageUnreachable):
        await web.fetch(site.url("/a"))
    with pytest.raises(PageUnreachable):
        await web.fetch("http://127.0.0.1:1/")


async def test_a_busy_host_is_left_alone_as_long_as_it_asks(site, web):
    busy = ("Retry-After: 120",)
    site.pages["/a"] = Answer(status="429 Too Many Requests", headers=busy)
    with pytest.raises(RetryLater) as error:
        await web.fetch(site.url("/a"))
    assert error.value.seconds == 120
    with pytest.raises(RetryLater):
        await web.fetch(site.url("/b"))
    assert site.paths == ["/robots.txt", "/a"]


async def test_a_host_that_is_busy_for_a_moment_is_waited_for(site, web):
    dated = ("Retry-After: Mon, 04 May 2026 12:00:00 GMT",)
    site.pages["/a"] = [Answer(status="503 Busy", headers=dated), page()]
    with pytest.raises(RetryLater):
        await web.fetch(site.url("/a"))
    assert (await web.fetch(site.url("/a"))).content


async def test_a_host_gets_one_request_at_a_time(site, web):
    for n in range(6):
        site.pages[f"/{n}"] = page(delay=0.02)
    await asyncio.gather(*(web.fetch(site.url(f"/{n}")) for n in range(6)))
    assert site.busiest == 1
    assert site.paths.count("/robots.txt") == 1


async def test_an_unchanged_page_is_not_sent_again(site, tmp_path):
    known = ('ETag: "v1"', "Last-Modified: Mon, 04 May 2026 00:00:00 GMT")
    unchanged = Answer(status="304 Not Modified")
    site.pages["/a"] = [page(headers=known), unchanged, unchanged, page("new")]
    async with fetcher(tmp_path) as web:
        first = await web.fetch(site.url("/a"))
        again = await web.fetch(site.url("/a"))
    async with fetcher(tmp_path) as web:  # after a restart
        later = await web.fetch(site.url("/a"))
        fresh = await web.fetch(site.url("/a"))
    assert [first.unchanged, again.unchanged, later.unchanged, fresh.unchanged] == [
        False, True, True, False,
    ]  # fmt: skip
    assert first.content == again.content == later.content == b"<p>hello</p>"
    assert fresh.content == b"new"
    assert site.asked[2][1]["if-none-match"] == '"v1"'
    assert site.asked[2][1]["if-modified-since"].startswith("Mon, 04 May")


async def test_packed_pages_are_unpacked(site, web):
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(b"hello", mtime=0),
        "deflate": zlib.compress(b"hello"),
        "Deflate": raw.compress(b"hello") + raw.flush(),
    }
    for name, body in packed.items():
        site.pages["/a"] = Answer(body, headers=(f"Content-Encoding: {name}",))
        assert (await web.fetch(site.url("/a"))).content == b"hello"


async def test_a_page_that_is_too_large_is_cut_off(site):
    bomb = gzip.compress(bytes(50_000_000))
    site.pages["/bomb"] = Answer(bomb, headers=("Content-Encoding: gzip",))
    site.pages["/long"] = Answer(bytes(300_000))
    async with fetcher(max_bytes=200_000) as web:
        for path in ("/bomb", "/long"):
            with pytest.raises(PageRefused, match="more than 200000 bytes"):
                await web.fetch(site.url(path))


@pytest.mark.parametrize(
    ("name", "body"),
    [("br", b"x"), ("gzip", b"no gzip"), ("gzip", gzip.compress(b"hello", mtime=0)[:-9])],
)
async def test_what_cannot_be_unpacked_is_refused(site, web, name, body):
    site.pages["/a"] = Answer(body, headers=(f"Content-Encoding: {name}",))
    with pytest.raises(PageRefused):
        await web.fetch(site.url("/a"))


async def test_a_site_that_drips_is_given_up(site):
    site.pages["/a"] = Answer(bytes(1000), drip=0.05)
    async with fetcher(timeout=0.3) as web:
        with pytest.raises(PageUnreachable, match="Timeout"):
            await web.fetch(site.url("/a"))


async def test_an_answer_cut_short_is_no_page(site, web):
    site.pages["/a"] = Answer(b"half", length=100)
    with pytest.raises(PageUnreachable):
        await web.fetch(site.url("/a"))
