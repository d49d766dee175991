"""The forward pass gives what its formulas say, computed here one number at a time."""

import math

import numpy as np
import pytest

from storecrew.domain.errors import InvalidInput
from storecrew.models.transformer import Plan, Transformer

PLAN = Plan(
    width=8,
    layers=2,
    heads=2,
    inner=12,
    positions=9,
    vocabulary=20,
    kinds=2,
    epsilon=1e-12,
)
SENTENCES = [[2, 7, 11, 3], [2, 3], [2, 4, 4, 19, 5, 6, 7, 8, 3], [], [2, 11, 7, 3]]


def arrays(plan: Plan = PLAN, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        name: (name.endswith("Norm.weight") + rng.normal(0, 0.5, shape)).astype(np.float32)
        for name, shape in plan.shapes().items()
    }


def slowly(plan: Plan, weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """Return the vector of one sentence, by the formulas and in double precision."""
    w = {name: array.astype(np.float64) for name, array in weights.items()}
    tokens = [
        w["embeddings.word_embeddings.weight"][n]
        + w["embeddings.position_embeddings.weight"][place]
        + w["embeddings.token_type_embeddings.weight"][0]
        for place, n in enumerate(ids)
    ]
    tokens = [_norm(w, "embeddings.LayerNorm", each, plan) for each in tokens]
    for n in range(plan.layers):
        tokens = _layer(w, f"encoder.layer.{n}", tokens, plan)
    whole = tokens[0] if plan.pooling == "cls" else sum(tokens) / len(tokens)
    return whole / math.sqrt(sum(x * x for x in whole))


def _layer(w, head, tokens, plan):
    after = []
    for token in tokens:
        heard = _linear(w, f"{head}.attention.output.dense", _attend(w, head, token, tokens, plan))
        after.append(_norm(w, f"{head}.attention.output.LayerNorm", token + heard, plan))
    out = []
    for token in after:
        between = _linear(w, f"{head}.intermediate.dense", token)
        bent = np.array([x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in between])
        moved = token + _linear(w, f"{head}.output.dense", bent)
        out.append(_norm(w, f"{head}.output.LayerNorm", moved, plan))
    return out


def _attend(w, head, token, tokens, plan):
    each = plan.width // plan.heads
    said = []
    query = _linear(w, f"{head}.attention.self.query", token)
    for begin in range(0, plan.width, each):
        part = slice(begin, begin + each)
        logits = [
            query[part] @ _linear(w, f"{head}.attention.self.key", other)[part] / math.sqrt(each)
            for other in tokens
        ]
        odds = [math.exp(x) for x in logits]
        values = [_linear(w, f"{head}.attention.self.value", other)[part] for other in tokens]
        said.append(sum(o * v for o, v in zip(odds, values, strict=True)) / sum(odds))
    return np.concatenate(said)


def _linear(w, name, x):
    return np.array([row @ x for row in w[f"{name}.weight"]]) + w[f"{name}.bias"]


def _norm(w, name, x, plan):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return (x - mean) / math.sqrt(variance + plan.epsilon) * w[f"{name}.weight"] + w[f"{name}.bias"]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_sentences_become_what_the_formulas_say(pooling):
    plan = Plan(**{**vars(PLAN), "pooling": pooling})
    weights = arrays(plan)

    found = Transformer.of(plan, weights).encode(SENTENCES)

    for vector, ids in zip(found, SENTENCES, strict=True):
        wanted = slowly(plan, weights, ids) if ids else np.zeros(plan.width)
        np.testing.assert_allclose(vector, wanted, atol=2e-6)


def test_a_sentence_has_the_same_vector_in_any_company(monkeypatch):
    encoder = Transformer.of(PLAN, arrays())
    together = encoder.encode(SENTENCES * 3)
    monkeypatch.setattr("storecrew.models.transformer._AT_ONCE", 10)

    apart = np.concatenate([encoder.encode([each]) for each in SENTENCES * 3])
    few = encoder.encode(SENTENCES * 3)

    np.testing.assert_allclose(together, apart, atol=1e-6)
    np.testing.assert_allclose(together, few, atol=1e-6)
    assert encoder.encode([]).shape == (0, PLAN.width)


def test_the_order_of_words_matters():
    one, other = Transformer.of(PLAN, arrays()).encode([[2, 7, 11, 3], [2, 11, 7, 3]])

    assert abs(one - other).max() > 1e-3


@pytest.mark.parametrize("ids", [[20], [-1], [1] * 10])
def test_what_is_no_sentence_of_the_vocabulary_is_refused(ids):
    with pytest.raises(InvalidInput, match="sentences"):
        Transformer.of(PLAN, arrays()).encode([[1], ids])


def test_arrays_that_do_not_fit_are_refused_by_name():
    name = "encoder.layer.1.output.dense.bias"
    good = arrays()
    with pytest.raises(InvalidInput, match=rf"{name}.*absent"):
        Transformer.of(PLAN, {n: a for n, a in good.items() if n != name})
    with pytest.raises(InvalidInput, match=rf"{name}.*shape \(7,\), not \(8,\)"):
        Transformer.of(PLAN, good | {name: good[name][:-1]})
    for odd in (good[name] * np.nan, good[name].astype(np.int64)):
        with pytest.raises(InvalidInput, match=rf"{name}.*finite"):
            Transformer.of(PLAN, good | {name: odd})
