"""Fits the machines of an intent model to examples: one of words, one of meaning beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.models.intents.features import Floats, Lexicon, Sparse
from storecrew.models.intents.meaning import Encoder, Meaning
from storecrew.models.intents.model import IntentModel, Scales

Whole = NDArray[np.int64]

_COST = 0.5
"""Of errors against large weights in the linear classifier; the field's usual value is 0.1 to 1."""
_COST_OF_MEANING = 10.0
"""The same in the machine over an encoder's vectors, which are fewer and dense."""


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What is learned from; row n of each is the n-th example."""

    texts: Sequence[str]
    words: Sequence[Sequence[str]]
    truth: Whole
    """Places of their intents."""

    def at(self, places: Whole) -> "Examples":
        """Return those at the places, their intents as they are numbered among these."""
        kept = places.tolist()
        return Examples(
            texts=[self.texts[n] for n in kept],
            words=[self.words[n] for n in kept],
            truth=np.unique(self.truth[places], return_inverse=True)[1],
        )


@dataclass(frozen=True, kw_only=True)
class Blend:
    """How meaning joins the words."""

    encoder: Encoder
    share: float = 0.5
    scale: float = 1.0
    """By which the scores of meaning are multiplied, so that both are equally bold."""


def fit(
    examples: Examples,
    intents: NDArray[np.str_],
    scales: Scales,
    blend: Blend | None,
    seed: int,
) -> IntentModel:
    """Return a model of the examples, whose verdicts are weighed by the scales."""
    lexicon = Lexicon.of(examples.words)
    matrix = lexicon.matrix(examples.words)
    weights, constants = _machine(matrix, examples.truth, intents.size, seed)
    return IntentModel(
        intents=intents,
        lexicon=lexicon,
        weights=weights,
        constants=constants,
        centres=_centres(matrix, examples.truth, intents.size),
        scales=scales,
        meaning=_meaning(examples, intents.size, blend) if blend else None,
    )


def _machine(matrix: Sparse, truth: Whole, intents: int, seed: int) -> tuple[Floats, Floats]:
    """Return weights [terms, intents] and constants of a linear machine per intent."""
    from sklearn.svm import LinearSVC  # takes a second to import

    fitted = LinearSVC(C=_COST, random_state=seed).fit(matrix, truth)
    return _both_ways(fitted, intents)


def _both_ways(fitted: Any, intents: int) -> tuple[Floats, Floats]:
    weights, constants = fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32)
    if intents == 2:  # one machine decides between two
        weights, constants = np.hstack([-weights, weights]), np.hstack([-constants, constants])
    return np.ascontiguousarray(weights), constants


def _meaning(examples: Examples, intents: int, blend: Blend) -> Meaning:
    """Return a machine over the encoder's vectors, moved to their middle and of usual length 1."""
    from sklearn.linear_model import LogisticRegression  # takes a second to import
    from threadpoolctl import threadpool_limits

    vectors = blend.encoder.encode(examples.texts)
    middle = vectors.mean(axis=0)
    moved = vectors - middle
    usual = float(np.sqrt((moved**2).sum(axis=1).mean())) or 1.0
    machine = LogisticRegression(C=_COST_OF_MEANING, max_iter=500)
    with threadpool_limits(1, user_api="blas"):
        fitted = machine.fit(moved / usual, examples.truth)
    weights, constants = _both_ways(fitted, intents)
    return Meaning(
        encoder=blend.encoder,
        middle=middle,
        weights=(weights * (blend.scale / usual)).astype(np.float32),
        constants=(constants * blend.scale).astype(np.float32),
        centres=_centres(moved, examples.truth, intents),
        share=blend.share,
    )


def _centres(matrix: Sparse, truth: Whole, intents: int) -> Floats:
    """Return the mean of each intent's rows, of length one [columns, intents]."""
    from scipy import sparse  # takes a quarter of a second to import

    member = sparse.csr_matrix(
        (np.ones(truth.size, np.float32), (np.arange(truth.size), truth)), (truth.size, intents)
    )
    found = matrix.T @ member
    sums = found.toarray() if sparse.issparse(found) else np.asarray(found)
    lengths = np.sqrt((sums**2).sum(axis=0))
    centres: Floats = (sums / np.maximum(lengths, 1e-12)).astype(np.float32)
    return centres
