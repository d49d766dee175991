"""What a customer wants, by the intents that examples were given of; or that nobody can say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents.features import Floats, Lexicon, respelt, split
from storecrew.models.intents.meaning import Encoder, Meaning
from storecrew.models.intents.reading import SIGNS, SIGNS_OF_MEANING, Reading
from storecrew.models.state import State


@dataclass(frozen=True, kw_only=True)
class Verdict:
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
    """Made by `train`; classifies in half a millisecond from arrays alone.

    Where an encoder takes part, reading a sentence with it takes most of the time.
    """

    intents: NDArray[np.str_]
    lexicon: Lexicon
    weights: Floats
    """Linear scores [terms, intents]."""
    constants: Floats
    """Added to the scores, per intent."""
    centres: Floats
    """Mean of each intent's examples, of length one [terms, intents]."""
    scales: Scales
    meaning: Meaning | None = None
    """What judges the meaning of sentences beside their words."""

    def classify(self, texts: Sequence[str]) -> list[Verdict]:
        """Return a verdict per text; empty texts and such without a known term are not known."""
        if not texts:
            return []
        reading = self.read(texts)
        share = self.meaning.share if self.meaning else 0.0
        scores, sign = reading.joint(share), reading.signs(share)
        right, familiar = (_logistic(sign, w) for w in (self.scales.right, self.scales.familiar))
        rows = zip(scores, right.tolist(), familiar.tolist(), reading.heard.tolist(), strict=True)
        return [self._verdict(*row) for row in rows]

    def read(self, texts: Sequence[str]) -> Reading:
        """Return what the texts speak for, those of at least one."""
        words = [split(text) for text in texts]
        mended = [self.lexicon.mend(each) for each in words]
        found = [self._heard(*pair) for pair in zip(words, mended, strict=True)]
        meant = None
        if self.meaning is not None:
            rows = zip(texts, words, mended, strict=True)
            meant = self.meaning.judge([respelt(*row) for row in rows])
        return Reading(
            scores=np.stack([scores for scores, _, _ in found]),
            near=np.stack([near for _, near, _ in found]),
            heard=np.array([heard for _, _, heard in found]),
            length=np.array([len(each) for each in words]),
            meant=meant,
        )

    def _heard(self, words: Sequence[str], mended: Sequence[str]) -> tuple[Floats, Floats, float]:
        """Return scores per intent, nearness to its centre, and the share of words known."""
        columns, weight = self.lexicon.vector(mended)
        scores = weight @ self.weights[columns] + self.constants
        length = float(np.sqrt((weight**2).sum())) or 1.0
        near = weight @ self.centres[columns] / length
        known = (self.lexicon.known(mended) + self.lexicon.known(words)) / 2
        return scores.astype(np.float32), near.astype(np.float32), known if columns.size else 0.0

    def _verdict(self, scores: Floats, right: float, familiar: float, heard: float) -> Verdict:
        known = heard > 0 and familiar >= self.scales.known
        return Verdict(
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
            **(self.meaning.state() if self.meaning else {}),
        }

    @classmethod
    def restore(cls, state: State, encoder: Encoder | None = None) -> Self:
        """Return what `state` was taken of; raises `InvalidInput` where arrays do not fit.

        Also where it was learnt with another encoder than this, or with one and there is none.
        """
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
                meaning=Meaning.restore(state, encoder, state["intents"].size),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("state", "is no state of intents") from error
        _check_shapes(found)
        return found


def _logistic(sign: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    raw = np.clip(sign @ weights[:-1] + weights[-1], -50, 50)
    found: NDArray[np.float64] = 1 / (1 + np.exp(-raw))
    return found


def _check_shapes(found: IntentModel) -> None:
    """Refuse arrays that would make serving fail."""
    shape = (found.lexicon.names.size, found.intents.size)
    tables = (found.weights, found.centres, found.constants, found.lexicon.rarity)
    signs = SIGNS + (SIGNS_OF_MEANING if found.meaning else 0)
    fits = (
        found.weights.shape == found.centres.shape == shape
        and found.constants.shape == (shape[1],)
        and found.lexicon.rarity.shape == (shape[0],)
        and found.scales.right.shape == found.scales.familiar.shape == (signs + 1,)
    )
    if not fits:
        raise InvalidInput("state", "arrays differ in length")
    if not all(np.isfinite(each).all() for each in tables):
        raise InvalidInput("state", "a weight is no number")
