"""Pace, memory and rules of the fetcher, without a network."""

from datetime import UTC, datetime

import pytest

from storecrew.domain.errors import InvalidInput
from storecrew.web import robots
from storecrew.web.cache import CachedPage, PageCache
from storecrew.web.errors import RetryLater
from storecrew.web.rate_limiter import HostRateLimiter, retry_after
from storecrew.web.settings import FetchSettings

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0), ("0", 0.0), ("Mon, 04 May 2026 12:01:00 GMT", 60.0),
        ("Mon, 04 May 2026 11:00:00 GMT", 0.0), ("-5", None), ("soon", None), ("", None),
        (None, None), ("9" * 400, 999_999_999.0), ("Mon, 99 May 2026 99:99:99 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_a_date(header, seconds):
    assert retry_after(header, NOON) == seconds


async def test_refusals_without_a_time_double_the_distance_and_an_answer_forgets_them():
    hosts = HostRateLimiter(delay=0, patience=60)
    assert [hosts.refused("a", None) for _ in range(9)][-2:] == [3600.0, 3600.0]
    assert hosts.refused("b", 1e12) == 86_400.0
    hosts.answered("a")
    assert hosts.refused("a", None) == 30.0


async def test_a_queue_that_is_too_long_is_not_joined():
    hosts = HostRateLimiter(delay=10, patience=60)
    async with hosts.acquire("a"):
        hosts._host("a").waiting = 7
        with pytest.raises(RetryLater):
            async with hosts.acquire("a"):
                pass


async def test_hosts_that_are_idle_are_forgotten():
    hosts = HostRateLimiter(delay=0, patience=60)
    for n in range(12_000):
        hosts.answered(f"host-{n}")
    assert len(hosts._hosts) <= 10_001


@pytest.mark.parametrize("status", [404, 403, 410, 400])
def test_no_robots_txt_allows_all(status):
    assert robots.judge(status, b"", 0).allow("http://a.example/x")


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_no_answer_forbids_all_for_a_while(status):
    said = robots.judge(status, b"", 5)
    assert not said.allow("http://a.example/x")
    assert said.until == 5 + robots.DOUBTFUL


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"\x00" * 1000, b"Crawl-delay: nan", b"<html>", b"User-agent"]
)
def test_a_robots_txt_that_is_none_forbids_nothing(content):
    said = robots.judge(200, b"User-agent: *\n" + content, 0)
    assert said.allow("http://a.example/x")
    assert said.delay == 0.0


def test_the_delay_of_a_robots_txt_is_bounded():
    said = robots.judge(200, b"User-agent: *\nCrawl-delay: 1e99", 0)
    assert said.delay == 3600.0


def kept(url: str, size: int = 10) -> CachedPage:
    return CachedPage(
        url=url,
        content=b"\n" * size,
        media_type="text/html",
        charset=None,
        etag='"1"',
        last_modified=None,
    )


def test_the_memory_and_the_folder_are_bounded(tmp_path):
    cache = PageCache(2000, tmp_path)
    for n in range(50):
        cache.put(kept(f"http://a.example/{n}", 500))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000
    assert cache.get("http://a.example/0") is None
    assert cache.get("http://a.example/49") == kept("http://a.example/49", 500)
    cache.put(kept("http://a.example/large", 5000))
    assert cache.get("http://a.example/large") is None


def test_a_damaged_file_is_only_a_page_to_be_sent_again(tmp_path):
    PageCache(10_000, tmp_path).put(kept("http://a.example/"))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    assert PageCache(10_000, tmp_path).get("http://a.example/") is not None
    for damaged in (b"", whole[:-1], whole + b"x", b"[]\n", b"{}\n", b"\xff" * 9, whole[20:]):
        file.write_bytes(damaged)
        assert PageCache(10_000, tmp_path).get("http://a.example/") is None


def test_a_page_without_a_version_is_not_kept(tmp_path):
    cache = PageCache(10_000, tmp_path)
    cache.put(kept("http://a.example/"))
    cache.put(CachedPage(**{**vars(kept("http://a.example/")), "etag": None}))
    assert cache.get("http://a.example/") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [{"request_interval": -1}, {"timeout": 0}, {"max_bytes": 0}, {"redirects": -1},
     {"request_interval": float("nan")}, {"contact": "a\r\nX: y"}, {"contact": "größe"}],
)  # fmt: skip
def test_limits_that_would_be_none_are_refused(wrong):
    with pytest.raises(InvalidInput):
        FetchSettings(**wrong)
