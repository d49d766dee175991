"""Parity: a planted gap is flagged, chance is not, and small groups say nothing."""

import math

import numpy as np
import pytest

from storecrew.domain.errors import InvalidInput
from storecrew.models.fairness import FairnessSettings, prices, rates

TERMS = FairnessSettings()


def flagged(found):
    return {each.group for each in found if each.flagged}


def test_a_share_under_four_fifths_is_flagged_when_it_is_sure():
    assert flagged(rates({"en": (500, 1000), "de": (300, 1000)}, TERMS)) == {"de"}
    assert flagged(rates({"en": (20, 40), "de": (14, 40)}, TERMS)) == set()  # may be chance
    assert flagged(rates({"en": (500, 1000), "de": (440, 1000)}, TERMS)) == set()  # 0.88
    assert flagged(rates({"en": (500, 1000), "de": (0, 1000)}, TERMS)) == {"de"}


def test_small_groups_and_empty_ones_say_nothing():
    assert rates({"en": (1, 2), "de": (0, 29)}, TERMS) == []
    assert rates({}, TERMS) == []
    nobody = rates({"en": (0, 100), "de": (0, 100)}, TERMS)
    assert [each.ratio for each in nobody] == [None, None]
    assert flagged(nobody) == set()


def test_the_ratios_interval_is_katzs():
    de = next(
        each for each in rates({"en": (500, 1000), "de": (300, 1000)}, TERMS) if each.group == "de"
    )
    error = math.sqrt(1 / 300 - 1 / 1000 + 1 / 500 - 1 / 1000)
    assert de.ratio == pytest.approx(0.6)
    assert (de.low, de.high) == pytest.approx(
        (0.6 * math.exp(-1.959964 * error), 0.6 * math.exp(1.959964 * error))
    )
    assert de.against == "en"


def test_chance_alone_is_seldom_flagged():
    chance = np.random.default_rng(3)
    alarms = 0
    for _ in range(300):
        groups = {str(n): (int(chance.binomial(60, 0.3)), 60) for n in range(6)}
        alarms += bool(flagged(rates(groups, TERMS)))
    assert alarms / 300 <= 0.05


def test_who_pays_more_is_flagged_when_it_is_large_and_sure():
    chance = np.random.default_rng(4)
    alike = {n: chance.normal(1, 0.1, 200) for n in ("en", "de", "fr")}
    assert flagged(prices(alike, TERMS)) == set()
    dearer = alike | {"de": alike["de"] * 1.1}
    found = prices(dearer, TERMS)
    assert flagged(found) == {"de"}
    de = next(each for each in found if each.group == "de")
    assert de.low < de.ratio < de.high
    assert prices({"en": [1.0] * 10}, TERMS) == []
    unsure = {"en": [1.0] * 200, "de": chance.normal(1.1, 0.9, 40).clip(0.1)}
    assert flagged(prices(unsure, TERMS)) == set()


@pytest.mark.parametrize(
    "wrong", [{"least_ratio": 1}, {"level": 0}, {"price_gap": 0}, {"fewest": 0}]
)
def test_terms_that_are_none_are_refused(wrong):
    with pytest.raises(InvalidInput):
        FairnessSettings(**wrong)


def test_counts_and_prices_that_are_none_are_refused():
    with pytest.raises(InvalidInput):
        rates({"en": (3, 2)}, TERMS)
    with pytest.raises(InvalidInput):
        prices({"en": [0.0] * 50}, TERMS)
