"""What customers want is recognised, also mistyped; what nobody taught is not."""

import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents import IntentModel, train
from storecrew.models.intents.spelling import Speller, distance
from storecrew.models.serialization import pack, unpack

OBJECTS = {
    "track": ["where is my parcel", "track the package", "when will the delivery arrive"],
    "refund": ["i want my money back", "refund the payment", "return this for a refund"],
    "cancel": ["cancel my order", "stop the purchase please", "do not send my order, cancel it"],
    "invoice": ["send me the invoice", "i need a bill with tax", "print the receipt again"],
    "password": ["reset my password", "i cannot log in", "forgot the login password"],
    "hours": ["when do you open", "opening hours on sunday", "are you open today"],
}
FRAMES = ["{}", "please {}", "hello, {}", "{} thanks", "quick question: {}", "hi team {} asap"]


def examples() -> tuple[list[str], list[str]]:
    rows = [(f.format(p), i) for i, ps in OBJECTS.items() for p in ps for f in FRAMES]
    return [text for text, _ in rows], [intent for _, intent in rows]


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return train(*examples())


def test_an_intent_is_recognised(model):
    verdict = model.classify(["could you please track my package"])[0]

    assert verdict.intent == "track"
    assert verdict.known
    assert verdict.top[0][0] == "track"
    assert len(verdict.top) == 3


def test_a_mistyped_text_is_understood(model):
    assert model.classify(["resett my pasword"])[0].intent == "password"


@pytest.mark.parametrize("text", ["", "   ", "?!", "quantum chromodynamics lattice", "\x00\ud800"])
def test_what_nobody_taught_is_handed_over(model, text):
    verdict = model.classify([text])[0]

    assert not verdict.known
    assert not verdict.sure


@given(text=st.text(max_size=300))
@settings(max_examples=60)
def test_any_text_has_a_verdict_with_a_probability(model, text):
    verdict = model.classify([text])[0]

    assert 0 <= verdict.probability <= 1
    assert sum(share for _, share in verdict.top) <= 1 + 1e-6
    assert verdict.known or not verdict.sure


def test_the_same_examples_and_seed_give_the_same_model(model):
    again = train(*examples())

    assert all((again.state()[name] == value).all() for name, value in model.state().items())


def test_a_model_survives_packing(model):
    again = IntentModel.restore(unpack(pack(model.state())))
    texts = ["where is the invoice", "cancle it", "hm"]

    assert again.classify(texts) == model.classify(texts)


def test_a_damaged_state_is_refused(model):
    state = dict(model.state())
    with pytest.raises(InvalidInput):
        IntentModel.restore({**state, "weights": state["weights"][:-1]})
    with pytest.raises(InvalidInput):
        IntentModel.restore({**state, "rarity": state["rarity"] * np.nan})
    with pytest.raises(InvalidInput):
        IntentModel.restore({})


@pytest.mark.parametrize(
    ("texts", "labels"),
    [(["a b"], []), (["a b", ""], ["x", "y"]), (["a b", "c d"], ["x", "x"]), ([], [])],
)
def test_examples_that_teach_nothing_are_refused(texts, labels):
    with pytest.raises(InvalidInput):
        train(texts, labels)


def test_thresholds_are_learned_from_held_back_examples():
    rng = random.Random(2)
    words = [f"word{n}" for n in range(40)]
    texts, labels = [], []
    for intent in range(12):  # three words of its own each, among those that all share
        own = [f"own{intent}x{n}" for n in range(3)]
        for _ in range(40):
            texts.append(" ".join([*rng.sample(words, 4), *rng.sample(own, rng.choice([0, 1, 2]))]))
            labels.append(f"i{intent}")
    model = train(texts, labels)
    clear = model.classify(["own3x0 own3x1 own3x2 word1 word2"])[0]
    vague = model.classify(["word1 word2 word3 word4 word5"])[0]

    assert (clear.intent, clear.sure) == ("i3", True)
    assert not vague.sure
    assert clear.probability > 0.9 > vague.probability


def test_two_intents_are_enough():
    model = train(["yes please", "yes of course", "no thanks", "no never"], ["y", "y", "n", "n"])

    assert [v.intent for v in model.classify(["yes yes", "no no"])] == ["y", "n"]


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        ("card", "card", 0),
        ("crad", "card", 1),
        ("cad", "card", 1),
        ("caard", "card", 1),
        ("", "ab", 2),
    ],
)
def test_distance_counts_slips_of_the_fingers(one, other, steps):
    assert distance(one, other) == steps


def test_known_words_and_numbers_are_left_as_they_are():
    speller = Speller({"parcel": 5, "order": 3, "rare": 1})

    assert speller.mend("order") == "order"
    assert speller.mend("oder") == "order"
    assert speller.mend("ordr1") == "ordr1"
    assert speller.mend("elephant") == "elephant"
