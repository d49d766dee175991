"""Classifies a text into the intents of its examples, or as unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents.features import Floats, Lexicon, split
from storecrew.models.serialization import State

SIGNS = 6
"""What a verdict is weighed by: see `signs`."""


@dataclass(frozen=True, kw_only=True)
class IntentResult:
    """What one text is taken to want."""

    intent: str
    """The most probable, also where it should not be acted on."""
    probability: float
    """That the intent is right, 0 to 1, by how often such verdicts were right in training."""
    sure: bool
    """Right in 99 of 100 cases by what was held back in training: may be answered at once."""
    known: bool
    """The text is about something of which there were examples; if not, a person should see it."""
    top: Sequence[tuple[str, float]]
    """Up to three intents with their probabilities, the first above all."""


@dataclass(frozen=True, kw_only=True)
class Scales:
    """How signs become probabilities: logistic weights, the last one the constant."""

    right: NDArray[np.float64]
    """That the intent is right."""
    familiar: NDArray[np.float64]
    """That the text is about any of the intents."""
    sure: float
    """Least probability of being right with which a text is answered."""
    known: float
    """Least probability of being familiar."""
    temperature: float
    """By which scores are divided before they become shares."""


@dataclass(frozen=True, kw_only=True)
class IntentModel:
    """Made by `train`; classifies in a fraction of a millisecond from arrays alone."""

    intents: NDArray[np.str_]
    lexicon: Lexicon
    weights: Floats
    """Linear scores [terms, intents]."""
    constants: Floats
    """Added to the scores, per intent."""
    centres: Floats
    """Mean of each intent's examples, of length one [terms, intents]."""
    scales: Scales

    def classify(self, texts: Sequence[str]) -> list[IntentResult]:
        """Return a verdict per text; empty texts and such without a known term are not known."""
        return [self._verdict(text) for text in texts]

    def scores(self, words: Sequence[str]) -> tuple[Floats, Floats, float]:
        """Return scores per intent, nearness to its centre, and the share of words known."""
        mended = self.lexicon.mend(words)
        columns, weight = self.lexicon.vector(mended)
        scores = weight @ self.weights[columns] + self.constants
        length = float(np.sqrt((weight**2).sum())) or 1.0
        near = weight @ self.centres[columns] / length
        known = (self.lexicon.known(mended) + self.lexicon.known(words)) / 2
        return scores.astype(np.float32), near.astype(np.float32), known if columns.size else 0.0

    def _verdict(self, text: str) -> IntentResult:
        words = split(text)
        scores, near, heard = self.scores(words)
        sign = signs(scores[None], near[None], np.array([heard]), np.array([len(words)]))
        right = float(_logistic(sign, self.scales.right)[0])
        familiar = float(_logistic(sign, self.scales.familiar)[0])
        known = heard > 0 and familiar >= self.scales.known
        return IntentResult(
            intent=str(self.intents[scores.argmax()]),
            probability=right if heard > 0 else 0.0,
            sure=known and right >= self.scales.sure,
            known=known,
            top=self._top(scores),
        )

    def _top(self, scores: Floats) -> list[tuple[str, float]]:
        share = np.exp((scores - scores.max()) / self.scales.temperature)
        share /= share.sum()
        best = np.argsort(-share, kind="stable")[:3]
        return [(str(self.intents[n]), float(share[n])) for n in best]

    @cached_property
    def _words(self) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
        uses = sorted(self.lexicon.uses.items())
        return np.array([w for w, _ in uses], np.str_), np.array([c for _, c in uses], np.int64)

    def state(self) -> State:
        """Return the arrays by name."""
        words, uses = self._words
        scales = self.scales
        return {
            "intents": self.intents,
            "terms": self.lexicon.names,
            "rarity": self.lexicon.rarity,
            "words": words,
            "uses": uses,
            "weights": self.weights,
            "constants": self.constants,
            "centres": self.centres,
            "right": scales.right,
            "familiar": scales.familiar,
            "limits": np.array([scales.sure, scales.known, scales.temperature]),
        }

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return what `state` was taken of; raises `InvalidInput` where arrays do not fit."""
        try:
            uses = dict(zip(state["words"].tolist(), state["uses"].tolist(), strict=True))
            sure, known, temperature = state["limits"].tolist()
            found = cls(
                intents=state["intents"],
                lexicon=Lexicon(state["terms"], state["rarity"], uses),
                weights=state["weights"],
                constants=state["constants"],
                centres=state["centres"],
                scales=Scales(
                    right=state["right"],
                    familiar=state["familiar"],
                    sure=sure,
                    known=known,
                    temperature=temperature,
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("state", "is no state of intents") from error
        _check_shapes(found)
        return found


def signs(
    scores: Floats, near: Floats, known: NDArray[np.float64], length: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return what speaks for each verdict [texts, 6], from scores and nearness [texts, intents].

    Highest score; its lead over the second; nearness of the chosen intent's centre, and its lead
    over the nearest other; share of words known; logarithm of the words.
    """
    best = scores.argmax(axis=1)
    rows = np.arange(len(scores))
    top = np.sort(scores, axis=1)[:, -2:]
    others = near.copy()
    others[rows, best] = -1.0
    chosen = near[rows, best]
    columns = [
        top[:, -1],
        top[:, -1] - top[:, 0],
        chosen,
        chosen - others.max(axis=1),
        known,
        np.log1p(length),
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _logistic(sign: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    raw = np.clip(sign @ weights[:-1] + weights[-1], -50, 50)
    found: NDArray[np.float64] = 1 / (1 + np.exp(-raw))
    return found


def _check_shapes(found: IntentModel) -> None:
    """Refuse arrays that would make serving fail."""
    shape = (found.lexicon.names.size, found.intents.size)
    tables = (found.weights, found.centres, found.constants, found.lexicon.rarity)
    fits = (
        found.weights.shape == found.centres.shape == shape
        and found.constants.shape == (shape[1],)
        and found.lexicon.rarity.shape == (shape[0],)
        and found.scales.right.shape == found.scales.familiar.shape == (SIGNS + 1,)
    )
    if not fits:
        raise InvalidInput("state", "arrays differ in length")
    if not all(np.isfinite(each).all() for each in tables):
        raise InvalidInput("state", "a weight is no number")
