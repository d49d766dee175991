"""An encoder joins in where it helps; what it taught is not asked without it."""

import random
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents import IntentModel, train
from storecrew.models.intents.features import respelt, split
from storecrew.models.state import pack, unpack

SAME = [
    [f"{stem}{end}" for end in ("alo", "eru", "ivi", "ony", "umo", "yka")]
    for stem in ("bax", "cof", "dul", "gep", "hin", "jor", "kam", "lis", "mur", "nob")
]
"""Ten meanings, each with six words that have hardly a letter in common with another's."""
SHUFFLED = [word for group in SAME for word in group]
random.Random(5).shuffle(SHUFFLED)
WORDS = [SHUFFLED[n * 6 : n * 6 + 6] for n in range(10)]
"""The same, so that letters do not tell which words mean the same."""
SHARED = [f"shared{n}" for n in range(30)]


class Thesaurus:
    """Knows which words mean the same."""

    def __init__(self, fingerprint: str = "thesaurus") -> None:
        self.fingerprint = fingerprint
        self.read: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.read += texts
        found = np.full((len(texts), 16), 0.1, np.float32)
        for row, text in enumerate(texts):
            for word in split(text):
                for n, group in enumerate(WORDS):
                    found[row, n] += word in group
        return found / np.linalg.norm(found, axis=1, keepdims=True)


class Noise:
    """Knows nothing: each text is anywhere."""

    fingerprint = "noise"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        seeds = [zlib.crc32(text.encode()) for text in texts]
        found = np.stack([np.random.default_rng(n).normal(size=16) for n in seeds])
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def lines(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Return lines with a word or two of their intent, mostly the usual ones, among others."""
    rng = random.Random(seed)
    texts, labels = [], []
    for _ in range(count):
        intent = rng.randrange(10)
        usual = rng.choices(WORDS[intent], [30, 10, 3, 1, 0.5, 0.5])
        texts.append(" ".join([*rng.sample(SHARED, 3), *usual]))
        labels.append(f"i{intent}")
    return texts, labels


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return train(*lines(400, 1), encoder=Thesaurus())


def right(model: IntentModel, texts: Sequence[str], labels: Sequence[str]) -> float:
    said = [verdict.intent for verdict in model.classify(texts)]
    return float(np.mean([a == b for a, b in zip(said, labels, strict=True)]))


def test_a_word_that_no_example_had_is_understood_by_its_meaning(model):
    texts, labels = lines(300, 2)
    rare = [f"{SHARED[0]} {SHARED[1]} {group[5]}" for group in WORDS]
    intents = [f"i{n}" for n in range(10)]
    by_words = train(*lines(400, 1))

    assert model.meaning is not None
    assert model.meaning.share > 0
    assert right(model, rare, intents) == 1 > right(by_words, rare, intents)
    assert right(model, texts, labels) > right(by_words, texts, labels)


def test_an_encoder_that_knows_nothing_changes_nothing():
    examples = lines(400, 1)
    plain, misled = train(*examples), train(*examples, encoder=Noise())
    texts, _ = lines(300, 2)

    assert misled.meaning is None
    assert misled.classify(texts) == plain.classify(texts)


def test_what_is_about_something_else_is_not_known(model):
    odd = model.classify(["quantum lattice", "", "?!"])
    clear = model.classify([f"{SHARED[0]} {SHARED[1]} {SHARED[2]} {WORDS[3][0]}"])[0]

    assert not any(verdict.known or verdict.sure for verdict in odd)
    assert clear.known
    assert model.classify([]) == []


def test_each_text_is_read_once_in_a_training():
    encoder, examples = Thesaurus(), lines(200, 3)
    train(*examples, encoder=encoder)

    assert len(encoder.read) == len(set(encoder.read))
    assert set(examples[0]) <= set(encoder.read)


def test_a_mistyped_word_is_mended_before_the_encoder_reads_it(model):
    encoder = model.meaning.encoder
    encoder.read.clear()
    usual = WORDS[4][0]
    slip = usual[:2] + usual[3:]
    verdict = model.classify([f"Well, {SHARED[0]}: {slip}!"])[0]

    assert encoder.read == [f"Well, {SHARED[0]}: {usual}!"]
    assert verdict.intent == "i4"


@pytest.mark.parametrize(
    ("text", "meant", "found"),
    [
        ("Hello, I can't PAYY!", {"payy": "pay"}, "Hello, I can't pay!"),
        ("can’t you?", {"cant": "can"}, "can you?"),
        ("nothing ﬁshy", {}, "nothing fishy"),
        ("", {}, ""),
    ],
)
def test_only_mistyped_words_change(text, meant, found):
    words = split(text)

    assert respelt(text, words, [meant.get(word, word) for word in words]) == found


def test_too_few_examples_leave_it_to_the_words():
    texts = ["yes please", "yes of course", "no thanks", "no never"]
    model = train(texts, ["y", "y", "n", "n"], encoder=Thesaurus())

    assert model.meaning is None


def test_two_intents_may_have_a_meaning():
    texts, labels = lines(300, 4)
    two = [(text, label) for text, label in zip(texts, labels, strict=True) if label < "i2"]
    pair = [f"{text} {n}" for n, (text, _) in enumerate(two)], [label for _, label in two]
    model = train(*pair, encoder=Thesaurus())

    assert right(model, *pair) > 0.95


def test_the_same_examples_seed_and_encoder_give_the_same_model(model):
    again = train(*lines(400, 1), encoder=Thesaurus()).state()

    assert again.keys() == model.state().keys()
    assert all((again[name] == value).all() for name, value in model.state().items())


def test_a_model_with_meaning_survives_packing(model):
    again = IntentModel.restore(unpack(pack(model.state())), Thesaurus())
    texts, _ = lines(30, 6)

    assert again.classify(texts) == model.classify(texts)


def test_without_its_encoder_or_with_another_it_is_not_asked(model):
    state = unpack(pack(model.state()))
    with pytest.raises(InvalidInput, match=r"encoder.*none now.*learn again"):
        IntentModel.restore(state)
    with pytest.raises(InvalidInput, match=r"encoder.*another now.*learn again"):
        IntentModel.restore(state, Thesaurus("changed"))


def test_what_was_learnt_by_words_alone_needs_no_encoder():
    plain = train(*lines(200, 1))

    assert IntentModel.restore(plain.state(), Thesaurus()).meaning is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("meaning_weights", lambda a: a[:-1]),
        ("meaning_centres", lambda a: a[:, :-1]),
        ("meaning_constants", lambda a: a[:-1]),
        ("meaning_middle", lambda a: a * np.nan),
        ("meaning_share", lambda a: a + 1),
        ("right", lambda a: a[:-1]),
    ],
)
def test_a_damaged_state_of_meaning_is_refused(model, name, change):
    state = dict(model.state())
    with pytest.raises(InvalidInput):
        IntentModel.restore({**state, name: change(state[name])}, Thesaurus())
    del state[name]
    with pytest.raises(InvalidInput):
        IntentModel.restore(state, Thesaurus())
