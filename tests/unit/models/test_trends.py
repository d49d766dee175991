"""Trends: noise stays quiet, what rises is found, words are ranked and matched to products."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from storecrew.domain.errors import InvalidInput
from storecrew.models.extraction import feed
from storecrew.models.keywords import keywords, matches
from storecrew.models.trends import false_discovery, rises


def noise(seed: int, *, series: int = 200, days: int = 84, shape: float | None = None):
    chance = np.random.default_rng(seed)
    means = np.repeat(chance.lognormal(0, 1.2, (series, 1)), days, axis=1)
    rates = means if shape is None else chance.gamma(shape, means / shape)
    return chance.poisson(rates).astype(float)


@pytest.mark.parametrize("shape", [None, 1.0, 0.3])
def test_noise_stays_quiet_however_bursty(shape):
    loud = [rises(noise(seed, shape=shape), recent=7).rising.any() for seed in range(20)]
    assert sum(loud) <= 6  # at a false-discovery rate of 0.1 two are expected


def test_what_triples_is_found():
    counts = noise(1)
    busy = np.flatnonzero(counts.mean(axis=1) > 2)[:10]
    counts[busy, -7:] *= 3
    found = rises(counts, recent=7)
    assert found.rising[busy].mean() >= 0.9
    assert found.rising.sum() <= len(busy) + 2
    assert (found.low[busy] <= found.growth[busy]).all()
    assert found.growth[busy].mean() == pytest.approx(3, rel=0.3)


def test_a_busy_week_of_the_whole_shop_is_no_trend():
    chance = np.random.default_rng(2)
    means = chance.lognormal(0, 1.2, (200, 1)) * np.repeat([1.0, 3.0], [77, 7])
    assert not rises(chance.poisson(means), recent=7).rising.any()


def test_what_falls_does_not_rise():
    counts = noise(3)
    counts[:, -7:] = 0
    counts[0, -7:] = counts[0, -14:-7]
    assert not rises(counts, recent=7, exposure=np.ones(84)).rising.any()


def test_a_product_that_comes_in_runs_needs_more_to_rise():
    counts = np.random.default_rng(5).poisson(2.0, (40, 84)).astype(float)
    counts[0, :77] = np.repeat([0.0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 6], 7)
    counts[:2, 77:] = 4.0
    found = rises(counts, recent=7, exposure=np.ones(84))
    assert found.p[1] < 0.01 < found.p[0]


def test_one_sale_is_no_trend():
    counts = np.zeros((50, 84))
    counts[:, -1] = np.arange(50) < 5
    assert not rises(counts, recent=7, exposure=np.ones(84)).rising.any()


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(21, 40)),
               elements=st.floats(0, 1e6)),
)  # fmt: skip
def test_any_counts_give_finite_answers(counts):
    found = rises(counts, recent=7)
    for values in (found.recent, found.expected, found.growth, found.low, found.p, found.q):
        assert np.isfinite(values).all()
    assert ((found.p >= 0) & (found.p <= 1) & (found.q >= found.p)).all()
    assert (found.low <= found.growth * (1 + 1e-6)).all() or (found.growth < 1).any()


@pytest.mark.parametrize(
    ("counts", "recent", "exposure"),
    [
        ([[1.0, np.nan] * 20], 7, None), ([[-1.0] * 30], 7, None), ([[1.0] * 20], 7, None),
        ([[1.0] * 30], 0, None), ([[np.inf] * 30], 7, None), ([["x"] * 30], 7, None),
        ([[1.0] * 30], 7, [1.0] * 29), ([[1.0] * 30], 7, [-1.0] * 30),
        ([[1.0], [1.0, 2.0]], 1, None),
        ([[1e13] * 30], 7, None), (np.ones((2, 2, 30)), 7, None),
    ],
)  # fmt: skip
def test_counts_that_are_none_are_refused(counts, recent, exposure):
    with pytest.raises(InvalidInput):
        rises(counts, recent=recent, exposure=exposure)


def test_a_shop_that_sold_nothing_has_no_trends():
    assert not rises(np.zeros((3, 30)), recent=7).rising.any()
    assert rises(np.zeros((0, 30)), recent=7).q.size == 0


def test_the_false_discovery_rate_is_benjaminis_and_hochbergs():
    p = np.array([0.01, 0.04, 0.03, 0.5])
    assert false_discovery(p) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_ten_thousand_products_are_judged_at_once():
    found = rises(np.tile(noise(4, series=2000), (5, 1)), recent=7)
    assert found.p.shape == (10_000,)
    assert np.isfinite(found.p).all()


NEWS = (
    "shop opens in town|mayor visits school|team wins match|new road is built|prices of fuel fall"
)


def news(seed: int, days: int = 56) -> tuple[list[str], list[int]]:
    chance = np.random.default_rng(seed)
    words = [word for line in NEWS.split("|") for word in line.split()]
    texts = [
        f"{' '.join(chance.choice(words, 6))} {n} on {chance.integers(1000)}"
        for n in range(8 * days)
    ]
    return texts, [n // 8 for n in range(8 * days)]


def test_words_that_only_come_and_go_do_not_rise():
    for seed in range(5):
        assert sum(word.rising for word in keywords(*news(seed))) <= 1


def test_a_burst_of_a_phrase_is_ranked_first_and_told_once():
    texts, days = news(1)
    texts += [f"heavy snow brings chaos number {n}: snow chains sold out" for n in range(12)]
    days += [55 - n % 7 for n in range(12)]
    found = keywords(texts, days)
    rising = [word.words for word in found if word.rising]
    assert "snow chains sold" in rising or "snow chains" in rising
    assert "chains" not in rising
    first = found[0]
    assert first.growth > 3
    assert first.low > 1
    assert all("snow" in texts[n] for n in first.examples)


def test_copies_of_one_text_count_once():
    texts, days = news(1)
    copied = keywords(texts + ["gold price at record high"] * 30, [*days, *[55] * 30])
    assert not any(word.rising for word in copied if "gold" in word.words)


def test_a_first_look_without_history_ranks_and_claims_nothing():
    found = keywords(["snow chains", "snow boots", "rain"], [5, 5, 5])
    assert found[0].words == "snow"
    assert not any(word.rising for word in found)
    assert keywords([], []) == []


def test_no_keyword_rests_on_the_order_of_the_texts():
    texts, days = news(3)
    there = keywords(texts, days)
    back = keywords(texts[::-1], days[::-1])
    assert [w.words for w in there] == [w.words for w in back]


@pytest.mark.parametrize(
    "text", ["", "\x00" * 500, "a" * 100_000, "1 2 3", "雪 チェーン", "é" * 50]
)
def test_any_text_is_read(text):
    found = keywords([text, text + " snow"], [1, 30])
    assert not any(word.rising for word in found)  # two texts are no trend


def test_days_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInput):
        keywords(["a"], [])
    with pytest.raises(InvalidInput):
        keywords(["a"], [1], recent=0)


def test_a_keyword_finds_its_products():
    names = ["Snow Chains Basic", "Roof Box", "Snow Brush", "Sun Shade"]
    assert matches("snow chain", names) == [(0, 1.0)]
    assert {n for n, _ in matches("snow", names)} == {0, 2}
    assert matches("politics", names) == []
    assert matches("", names) == []
    assert matches("snow", []) == []


def test_r120_research_ranks_keywords_of_a_fixed_feed():
    items = [
        (day, f"Council {day} meets about road {n} and budget plan {day * n}")
        for day in range(1, 29)
        for n in range(3)
    ]
    items += [
        (22 + n % 7, f"Storm {n} ahead: drivers buy snow chains in town {n}") for n in range(9)
    ]
    body = "".join(
        f"<item><title>{title}</title><link>https://news.example/{n}</link>"
        f"<pubDate>{day:02d} Sep 2026 10:00:00 GMT</pubDate></item>"
        for n, (day, title) in enumerate(items)
    )
    read = feed(f"<rss version='2.0'><channel><title>News</title>{body}</channel></rss>".encode())
    dated = [entry for entry in read.entries if entry.published]
    found = keywords(
        [entry.title for entry in dated],
        [entry.published.toordinal() for entry in dated if entry.published],
    )
    assert found[0].rising
    assert found[0].growth > 1
    names = ["Floor Mats", "Snow Chains Basic"]
    told = [word for word in found if word.rising and matches(word.words, names)]
    assert told
    assert matches(told[0].words, names)[0][0] == 1
