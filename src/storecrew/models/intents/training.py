"""Learns intents from examples, and from held-back ones how far its verdicts can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents.features import Floats, Lexicon, Sparse, split
from storecrew.models.intents.model import SIGNS, IntentModel, Scales, signs

Whole = NDArray[np.int64]

PRECISION = 0.99
"""Share of the answers given that must be right."""
COVERAGE = 0.95
"""Share of the held-back examples that must be recognised as known."""
_FOLDS = 4
_WITHHELD = 0.1
"""Share of the intents that each fold has never seen, to learn what the unknown looks like."""
_COST = 0.5
"""Of errors against large weights in the linear classifier; the field's usual value is 0.1 to 1."""
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


@dataclass(frozen=True)
class _Trial:
    """Signs of held-back texts, whether the verdict was right, and whether their intent was known.

    Shapes [texts, signs], [texts], [texts]; scores and truth of the known ones for calibration.
    """

    sign: NDArray[np.float64]
    right: NDArray[np.bool_]
    familiar: NDArray[np.bool_]
    scores: list[tuple[Floats, Whole]]


def train(texts: Sequence[str], labels: Sequence[str], *, seed: int = 0) -> IntentModel:
    """Return a model of the intents; the same examples and seed give the same.

    One linear support vector machine against the rest per intent (LIBLINEAR) over three views of
    words and letters (`features`). Four times a quarter of the examples is held back, and a tenth
    of the intents altogether: from the verdicts on these come the probabilities and the
    thresholds. Raises `InvalidInput` for fewer than two intents or examples that say nothing.
    """
    if len(texts) != len(labels):
        raise InvalidInput("labels", f"{len(labels)} for {len(texts)} texts")
    words = [split(text) for text in texts]
    has_words = [bool(each) for each in words]
    if not all(has_words):
        raise InvalidInput("texts", f"nothing is said in {texts[has_words.index(False)]!r}")
    intents, truth = np.unique(np.array(labels, np.str_), return_inverse=True)
    if intents.size < 2:
        raise InvalidInput("labels", "examples of at least two intents are needed")
    scales = _scales(_trials(words, truth, intents.size, seed))
    return _fit(words, truth, intents, scales, seed)


def _fit(
    words: Sequence[Sequence[str]],
    truth: Whole,
    intents: NDArray[np.str_],
    scales: Scales,
    seed: int,
) -> IntentModel:
    lexicon = Lexicon.of(words)
    matrix = lexicon.matrix(words)
    weights, constants = _machine(matrix, truth, intents.size, seed)
    return IntentModel(
        intents=intents,
        lexicon=lexicon,
        weights=weights,
        constants=constants,
        centres=_centres(matrix, truth, intents.size),
        scales=scales,
    )


def _machine(matrix: Sparse, truth: Whole, intents: int, seed: int) -> tuple[Floats, Floats]:
    """Return weights [terms, intents] and constants of a linear machine per intent."""
    from sklearn.svm import LinearSVC  # takes a second to import

    fitted = LinearSVC(C=_COST, random_state=seed).fit(matrix, truth)
    weights, constants = fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32)
    if intents == 2:  # one machine decides between two
        weights, constants = np.hstack([-weights, weights]), np.hstack([-constants, constants])
    return np.ascontiguousarray(weights), constants


def _centres(matrix: Sparse, truth: Whole, intents: int) -> Floats:
    from scipy import sparse  # takes a quarter of a second to import

    member = sparse.csr_matrix(
        (np.ones(truth.size, np.float32), (np.arange(truth.size), truth)), (truth.size, intents)
    )
    sums = (matrix.T @ member).toarray()
    lengths = np.sqrt((sums**2).sum(axis=0))
    centres: Floats = (sums / np.maximum(lengths, 1e-12)).astype(np.float32)
    return centres


def _trials(words: Sequence[Sequence[str]], truth: Whole, intents: int, seed: int) -> _Trial:
    """Return what models make of texts that they have not seen, nor copies of them."""
    found = [
        _judge(words, truth, kept, held, seed)
        for kept, held in _folds(words, truth, intents, seed)
        if np.unique(truth[kept]).size > 1 and held.size
    ]
    if not found:
        return _Trial(np.zeros((0, SIGNS)), np.zeros(0, bool), np.zeros(0, bool), [])
    return _Trial(
        np.concatenate([each.sign for each in found]),
        np.concatenate([each.right for each in found]),
        np.concatenate([each.familiar for each in found]),
        [pair for each in found for pair in each.scores],
    )


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


def _judge(
    words: Sequence[Sequence[str]], truth: Whole, kept: Whole, held: Whole, seed: int
) -> _Trial:
    """Train on the kept texts and return what comes of the held ones."""
    names, inner = np.unique(truth[kept], return_inverse=True)
    model = _fit([words[n] for n in kept], inner, names.astype(np.str_), _STRICT, seed)
    results = [model.scores(words[n]) for n in held.tolist()]
    scores = np.stack([each[0] for each in results])
    near = np.stack([each[1] for each in results])
    heard = np.array([each[2] for each in results])
    length = np.array([len(words[n]) for n in held.tolist()])
    familiar = np.isin(truth[held], names)
    right = names[scores.argmax(axis=1)] == truth[held]
    place = np.searchsorted(names, truth[held][familiar])
    return _Trial(signs(scores, near, heard, length), right, familiar, [(scores[familiar], place)])


def _scales(trial: _Trial) -> Scales:
    """Return the logistic weights and the thresholds that the held-back verdicts suggest."""
    inside = trial.familiar
    if trial.right.sum() < _FEWEST or (~inside).sum() < _FEWEST_STRANGE:
        return _STRICT
    right = _logistic_fit(trial.sign, trial.right, np.where(inside, 1.0, _STRANGE))
    familiar = _logistic_fit(trial.sign, inside, np.ones(inside.size))
    chance = _logistic(trial.sign[inside], right)
    return Scales(
        right=right,
        familiar=familiar,
        sure=_sure_from(chance, trial.right[inside]),
        known=float(np.quantile(_logistic(trial.sign[inside], familiar), 1 - COVERAGE)),
        temperature=_temperature(trial.scores),
    )


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


def _temperature(scores: Sequence[tuple[Floats, Whole]]) -> float:
    """Return the divisor of scores that makes the truth most probable, by softmax."""
    options = np.geomspace(0.02, 2.0, 25)

    def surprise(temperature: float) -> float:
        total = 0.0
        for each, truth in scores:
            scaled = each / temperature
            top = scaled.max(axis=1)
            log_sum = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
            total += float((log_sum - scaled[np.arange(len(truth)), truth]).sum())
        return total

    return float(min(options, key=surprise))
