"""Learns intents from examples, and from held-back ones how far its verdicts can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents.features import Floats, split
from storecrew.models.intents.machines import Blend, Examples, Whole, fit
from storecrew.models.intents.meaning import Encoder, Remembering
from storecrew.models.intents.model import IntentModel, Scales
from storecrew.models.intents.reading import SIGNS, Meant, Reading

PRECISION = 0.99
"""Share of the answers given that must be right."""
COVERAGE = 0.95
"""Share of the held-back examples that must be recognised as known."""
_FOLDS = 4
_WITHHELD = 0.1
"""Share of the intents that each fold has never seen, to learn what the unknown looks like."""
_SHARES = tuple(n / 10 for n in range(10))
"""Shares of meaning in the joint score that are tried: none at all to nine tenths."""
_PLAINLY = 2.0
"""Deviations by which meaning must do better than words alone: reading it takes time."""
_FEWEST_TO_BLEND = 50
"""Held-back texts below which meaning has no say."""
_FEWEST, _FEWEST_STRANGE = 200, 20
"""Held-back texts, right ones and ones of withheld intents, below which nothing is learned of them
and the scales stay on the careful side."""
_STRANGE = 0.05
"""How much of what customers write is taken to be about something else."""
_SUREST = 0.9
"""However seldom held-back verdicts were wrong, less is never sure."""
_STRICT = Scales(
    right=np.array([0.0, 2.0, 4.0, 4.0, 3.0, 0.0, -6.0]),
    familiar=np.array([0.0, 2.0, 6.0, 0.0, 6.0, 0.0, -6.5]),
    sure=0.9,
    known=0.5,
    temperature=0.3,
)
"""Scales before there are examples enough: by hand, on the careful side."""


@dataclass(frozen=True, kw_only=True)
class _Trial:
    """How held-back texts read, and their intents [texts]: -1 where it was withheld too."""

    reading: Reading
    place: Whole

    @property
    def familiar(self) -> NDArray[np.bool_]:
        """Whether the model had examples of the intent."""
        return self.place >= 0

    def right(self, share: float) -> NDArray[np.bool_]:
        """Return which verdicts are right."""
        found: NDArray[np.bool_] = self.reading.joint(share).argmax(axis=1) == self.place
        return found

    def by_words(self) -> "_Trial":
        """Return it without what meaning speaks for."""
        return replace(self, reading=replace(self.reading, meant=None))

    def scaled(self, by: float) -> "_Trial":
        """Return it with the scores of meaning so many times as large."""
        meant = self.reading.meant
        if meant is None:
            return self
        scores = (meant.scores * by).astype(np.float32)
        return replace(self, reading=replace(self.reading, meant=replace(meant, scores=scores)))


def train(
    texts: Sequence[str], labels: Sequence[str], *, seed: int = 0, encoder: Encoder | None = None
) -> IntentModel:
    """Return a model of the intents; the same examples, seed and encoder give the same.

    One linear support vector machine against the rest per intent (LIBLINEAR) over three views of
    words and letters (`features`). Four times a quarter of the examples is held back, and a tenth
    of the intents altogether: from the verdicts on these come the probabilities and the
    thresholds. With an encoder, a logistic regression over its vectors joins in by the share that
    makes most of the held-back verdicts right; where words do as well, it is not asked again.
    Raises `InvalidInput` for fewer than two intents or examples that say nothing.
    """
    if len(texts) != len(labels):
        raise InvalidInput("labels", f"{len(labels)} for {len(texts)} texts")
    words = [split(text) for text in texts]
    said = [bool(each) for each in words]
    if not all(said):
        raise InvalidInput("texts", f"nothing is said in {texts[said.index(False)]!r}")
    intents, truth = np.unique(np.array(labels, np.str_), return_inverse=True)
    if intents.size < 2:
        raise InvalidInput("labels", "examples of at least two intents are needed")
    examples = Examples(texts=texts, words=words, truth=truth)
    tried = Blend(encoder=Remembering(encoder)) if encoder else None
    trials = _trials(examples, intents.size, tried, seed)
    blend = _blended(trials, tried) if tried else None
    used = [each.scaled(blend.scale) if blend else each.by_words() for each in trials]
    scales = _scales(used, blend.share if blend else 0.0)
    model = fit(examples, intents, scales, blend, seed)
    if model.meaning is None or encoder is None:
        return model
    return replace(model, meaning=replace(model.meaning, encoder=encoder))


def _trials(examples: Examples, intents: int, blend: Blend | None, seed: int) -> list[_Trial]:
    """Return what models make of texts that they have not seen, nor copies of them."""
    return [
        _judge(examples, kept, held, blend, seed)
        for kept, held in _folds(examples.words, examples.truth, intents, seed)
        if np.unique(examples.truth[kept]).size > 1 and held.size
    ]


def _folds(
    words: Sequence[Sequence[str]], truth: Whole, intents: int, seed: int
) -> Iterator[tuple[Whole, Whole]]:
    """Yield (kept, held) places; texts of the same words share a fold."""
    rng = np.random.default_rng(seed)
    _, same = np.unique(np.array([" ".join(sorted(set(w))) for w in words]), return_inverse=True)
    fold_of = rng.permuted(np.arange(int(same.max()) + 1) % _FOLDS)[same]
    order = rng.permutation(intents)
    away = max(1, round(_WITHHELD * intents)) if intents > _FOLDS else 0
    for fold in range(_FOLDS):
        strange = np.isin(truth, order[fold * away : (fold + 1) * away])
        held = (fold_of == fold) | strange
        yield np.flatnonzero(~held), np.flatnonzero(held)


def _judge(examples: Examples, kept: Whole, held: Whole, blend: Blend | None, seed: int) -> _Trial:
    """Train on the kept texts and return what comes of the held ones."""
    names = np.unique(examples.truth[kept])
    model = fit(examples.at(kept), names.astype(np.str_), _STRICT, blend, seed)
    truth = examples.truth[held]
    place = np.where(np.isin(truth, names), np.searchsorted(names, truth), -1)
    return _Trial(reading=model.read([examples.texts[n] for n in held.tolist()]), place=place)


def _blended(trials: Sequence[_Trial], blend: Blend) -> Blend | None:
    """Return how meaning joins the words so that most held-back verdicts are right.

    None where words alone do about as well, by the difference's deviation (McNemar's), or where
    too little was held back to say so.
    """
    if sum(int(each.familiar.sum()) for each in trials) < _FEWEST_TO_BLEND:
        return None
    words = [(t.reading.scores[t.familiar], t.place[t.familiar]) for t in trials]
    meant = [(_meant(t).scores[t.familiar], t.place[t.familiar]) for t in trials]
    scale = _temperature(words) / _temperature(meant, most=20.0)
    even = [each.scaled(scale) for each in trials]
    right = [np.concatenate([each.right(share) for each in even]) for share in _SHARES]
    best = int(np.argmax([each.sum() for each in right]))
    gained, lost = int((right[best] & ~right[0]).sum()), int((right[0] & ~right[best]).sum())
    if gained - lost <= _PLAINLY * np.sqrt(gained + lost):
        return None
    return replace(blend, share=_SHARES[best], scale=scale)


def _meant(trial: _Trial) -> Meant:
    assert trial.reading.meant is not None  # noqa: S101 - there is a blend
    return trial.reading.meant


def _scales(trials: Sequence[_Trial], share: float) -> Scales:
    """Return the logistic weights and the thresholds that the held-back verdicts suggest."""
    if not trials:
        return _STRICT
    sign = np.concatenate([each.reading.signs(share) for each in trials])
    was_right = np.concatenate([each.right(share) for each in trials])
    inside = np.concatenate([each.familiar for each in trials])
    if was_right.sum() < _FEWEST or (~inside).sum() < _FEWEST_STRANGE:
        return _strict(sign.shape[1])
    right = _logistic_fit(sign, was_right, np.where(inside, 1.0, _STRANGE))
    familiar = _logistic_fit(sign, inside, np.ones(inside.size))
    chance = _logistic(sign[inside], right)
    joint = [(t.reading.joint(share)[t.familiar], t.place[t.familiar]) for t in trials]
    return Scales(
        right=right,
        familiar=familiar,
        sure=_sure_from(chance, was_right[inside]),
        known=float(np.quantile(_logistic(sign[inside], familiar), 1 - COVERAGE)),
        temperature=_temperature(joint),
    )


def _strict(signs: int) -> Scales:
    """Return the scales by hand; what further signs say counts for nothing."""
    more = [0.0] * (signs - SIGNS)
    right, familiar = (np.insert(w, SIGNS, more) for w in (_STRICT.right, _STRICT.familiar))
    return replace(_STRICT, right=right, familiar=familiar)


def _logistic(sign: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = 1 / (
        1 + np.exp(-np.clip(sign @ weights[:-1] + weights[-1], -50, 50))
    )
    return found


def _logistic_fit(
    sign: NDArray[np.float64], answer: NDArray[np.bool_], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression  # takes a second to import

    deviation = np.maximum(sign.std(axis=0), 1e-9)
    fitted: Any = LogisticRegression(max_iter=500).fit(sign / deviation, answer, weight)
    return np.append(fitted.coef_[0] / deviation, fitted.intercept_[0]).astype(np.float64)


def _sure_from(chance: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the least probability from which on `PRECISION` of the verdicts are right."""
    order = np.argsort(-chance, kind="stable")
    precision = np.cumsum(right[order]) / np.arange(1, order.size + 1)
    enough = np.flatnonzero(precision >= PRECISION)
    return max(_SUREST, float(chance[order[enough[-1]]])) if enough.size else 1.0


def _temperature(scores: Sequence[tuple[Floats, Whole]], most: float = 2.0) -> float:
    """Return the divisor of scores that makes the truth most probable, by softmax."""
    options = np.geomspace(0.02, most, 25)

    def surprise(temperature: float) -> float:
        total = 0.0
        for each, truth in scores:
            scaled = each / temperature
            top = scaled.max(axis=1)
            log_sum = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
            total += float((log_sum - scaled[np.arange(len(truth)), truth]).sum())
        return total

    return float(min(options, key=surprise))
