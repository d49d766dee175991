"""Feeds and articles: read as far as they can be, refused where they are a weapon."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.extraction import Feed, article, feed

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
<item><title>Snow &amp; ice</title><link>https://news.example/1</link>
<description>
&lt;p&gt;It &lt;b&gt;snows&lt;/b&gt;.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description>
<pubDate>Mon, 04 May 2026 12:00:00 +0200</pubDate></item>
<item><title>No date</title><link>javascript:alert(1)</link><pubDate>soon</pubDate></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>
<entry><title>Snow</title><link href="https://news.example/1"/><updated>2026-05-04T10:00:00Z</updated>
<content type="html">It snows.</content></entry></feed>"""


def test_rss_is_read():
    found = feed(RSS.encode())
    first, second = found.entries
    assert (found.title, first.title, first.text) == ("News", "Snow & ice", "It snows .")
    assert first.link == "https://news.example/1"
    assert first.published == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert (second.link, second.published) == ("", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_atom_is_read_in_any_encoding(encoding):
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>{ATOM}'
    (only,) = feed(declared.encode(encoding)).entries
    assert (only.title, only.text) == ("Snow", "It snows.")
    assert only.published == datetime(2026, 5, 4, 10, tzinfo=UTC)


def test_a_feed_that_breaks_off_is_read_up_to_there():
    assert feed(RSS[: RSS.index("No date")].encode()).entries[0].title == "Snow & ice"


LAUGHS = "<!DOCTYPE rss [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(97 + n)} '{f'&{chr(96 + n)};' * 10}'>" for n in range(1, 10)
)
BOMBS = {
    "laughs": LAUGHS + f"]>{RSS[21:]}".replace("No date", "&j;"),
    "quadratic": f"<!DOCTYPE rss [<!ENTITY a '{'a' * 50_000}'>]>{RSS[21:]}".replace(
        "No date", "&a;" * 5000
    ),
    "outside": f"<!DOCTYPE rss [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>{RSS[21:]}",
    "parameter": f"<!DOCTYPE rss [<!ENTITY % a SYSTEM 'http://127.0.0.1/'> %a;]>{RSS[21:]}",
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_feed_bomb_is_refused(name, encoding):
    with pytest.raises(InvalidInput, match="entities"):
        feed(BOMBS[name].encode(encoding))


def test_entities_that_are_only_letters_are_no_bomb():
    text = f'<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY ae "ae">]>{RSS[21:]}'
    assert feed(text.replace("No date", "No&ae;date").encode()).entries[1].title.startswith("No")


def test_a_feed_that_is_too_large_is_refused():
    with pytest.raises(InvalidInput, match="at most"):
        feed(b"<rss>" + b" " * 5_000_000)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<html><body>no feed</body></html>", b"\x00" * 9]
)
def test_what_is_no_feed_is_refused(content):
    with pytest.raises(InvalidInput, match="no feed"):
        feed(content)


def test_a_path_is_never_opened(tmp_path):
    (tmp_path / "feed.xml").write_text(RSS)
    with pytest.raises(InvalidInput):
        feed(str(tmp_path / "feed.xml").encode())


@pytest.mark.parametrize(
    "inside",
    ["<b>" * 30_000, "<a " * 30_000, "&lt;" * 50_000, "<![CDATA[" * 20_000, "<item>" * 5000],
)
def test_deep_and_long_entries_are_read_to_their_end(inside):
    found = feed(RSS.replace("It &lt;b&gt;snows&lt;/b&gt;", inside).encode())
    assert isinstance(found, Feed)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_feed_or_refused(content):
    try:
        found = feed(b"<rss version='2.0'><channel><item><title>" + content)
    except InvalidInput:
        return
    assert all(entry.published is None or entry.published.tzinfo for entry in found.entries)


STORY = "<p>" + "The first snow of the year fell on Monday, and shops sold out of chains. " * 6


def test_an_article_is_read_without_what_stands_around_it():
    text = f"""<html><head><title>Snow | News</title><meta property="article:published_time"
    content="2026-05-04T08:00:00Z"></head><body><nav><a href="/">Home</a></nav>
    <article><h1>Snow everywhere</h1>{STORY}</p>{STORY}</p></article>
    <footer>Imprint</footer></body></html>"""
    found = article(text.encode(), "https://news.example/1")
    assert found is not None
    assert "sold out of chains" in found.text
    assert "Imprint" not in found.text
    assert found.title in ("Snow everywhere", "Snow")
    assert found.published == datetime(2026, 5, 4, tzinfo=UTC)


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"<html></html>", b"<div>" * 100_000])
def test_a_page_without_an_article_has_none(content):
    assert article(content, "https://news.example/1") is None


def test_an_article_that_is_too_large_is_refused():
    with pytest.raises(InvalidInput):
        article(b"x" * 9_000_000, "https://news.example/1")
