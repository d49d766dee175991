"""What speaks for each intent in some texts, and the signs of how far that may be trusted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storecrew.models.intents.features import Floats

SIGNS = 6
"""Signs of what is judged by words alone."""
SIGNS_OF_MEANING = 3
"""Further ones where an encoder takes part."""


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What the meaning of the sentences speaks for [texts, intents]."""

    scores: Floats
    near: Floats
    """Nearness to the intents' centres."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What words, and meaning where an encoder takes part, speak for [texts, intents]."""

    scores: Floats
    near: Floats
    """Nearness to the intents' centres."""
    heard: NDArray[np.float64]
    """Share of each text's words that are known [texts]."""
    length: NDArray[np.int64]
    """Words of each text [texts]."""
    meant: Meant | None = None

    def joint(self, share: float) -> Floats:
        """Return the scores of both, the meaning's by so large a share."""
        if self.meant is None:
            return self.scores
        return ((1 - share) * self.scores + share * self.meant.scores).astype(np.float32)

    def signs(self, share: float) -> NDArray[np.float64]:
        """Return what speaks for each verdict [texts, 6 or 9], from the scores of both.

        Highest score; its lead over the second; nearness of the chosen intent's centre, and its
        lead over the nearest other; share of words known; logarithm of the words. By meaning alone:
        the chosen one's lead over the best other, its nearness, and the lead of that.
        """
        scores, near = self.joint(share), self.near
        if self.meant is not None:
            near = ((1 - share) * near + share * self.meant.near).astype(np.float32)
        best = scores.argmax(axis=1)
        top = np.sort(scores, axis=1)[:, -2:]
        columns = [
            top[:, -1],
            top[:, -1] - top[:, 0],
            near[np.arange(len(best)), best],
            _lead(near, best, -1.0),
            self.heard,
            np.log1p(self.length),
        ]
        if self.meant is not None:
            columns += [
                _lead(self.meant.scores, best, -np.inf),
                self.meant.near[np.arange(len(best)), best],
                _lead(self.meant.near, best, -1.0),
            ]
        return np.stack(columns, axis=1).astype(np.float64)


def _lead(table: Floats, best: NDArray[np.int64], least: float) -> Floats:
    """Return how far the chosen column of each row stands above the highest other."""
    rows = np.arange(len(table))
    others = table.copy()
    others[rows, best] = least
    found: Floats = table[rows, best] - others.max(axis=1)
    return found
