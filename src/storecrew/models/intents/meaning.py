"""What sentences mean: a second machine beside the one of words, over the vectors of an encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.intents.features import Floats
from storecrew.models.intents.reading import Meant
from storecrew.models.state import State

ENCODER = "meaning_encoder"
"""Name, in a state, of the fingerprint of the encoder that it was learnt with."""


class Encoder(Protocol):
    """Turns sentences into vectors of length one, near to each other where they mean the same.

    The same sentence gives the same vector, but for rounding.
    """

    @property
    def fingerprint(self) -> str:
        """What tells it from any other encoder."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return vectors [texts, width]."""
        ...


class Remembering:
    """An encoder that reads each text once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Floats] = {}

    @property
    def fingerprint(self) -> str:
        """That of the encoder."""
        return self._encoder.fingerprint

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return vectors [texts, width]."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts])


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A linear machine over an encoder's vectors."""

    encoder: Encoder
    middle: Floats
    """Mean vector of the examples [width], taken off every other."""
    weights: Floats
    """Linear scores [width, intents]."""
    constants: Floats
    """Added to the scores, per intent."""
    centres: Floats
    """Mean of each intent's examples, of length one [width, intents]."""
    share: float
    """How much of the joint score is the machine's, 0 to 1."""

    def judge(self, texts: Sequence[str]) -> Meant:
        """Return what the meaning of the texts speaks for."""
        moved = self.encoder.encode(texts) - self.middle
        lengths = np.maximum(np.sqrt((moved**2).sum(axis=1, keepdims=True)), 1e-12)
        near = ((moved / lengths) @ self.centres).astype(np.float32)
        scores = (moved @ self.weights + self.constants).astype(np.float32)
        return Meant(scores=scores, near=near)

    def state(self) -> State:
        """Return the arrays by name."""
        return {
            ENCODER: np.array(self.encoder.fingerprint, np.str_),
            "meaning_middle": self.middle,
            "meaning_weights": self.weights,
            "meaning_constants": self.constants,
            "meaning_centres": self.centres,
            "meaning_share": np.array(self.share),
        }

    @classmethod
    def restore(cls, state: State, encoder: Encoder | None, intents: int) -> "Meaning | None":
        """Return what `state` was taken of, None where no encoder took part.

        Raises `InvalidInput` for another encoder than the one it was learnt with, and for arrays
        that do not fit.
        """
        if ENCODER not in state:
            return None
        wanted = str(state[ENCODER])
        if encoder is None or encoder.fingerprint != wanted:
            now = "there is none now" if encoder is None else "there is another now"
            raise InvalidInput("encoder", f"intents were learnt with one and {now}: learn again")
        try:
            found = cls(
                encoder=encoder,
                middle=state["meaning_middle"],
                weights=state["meaning_weights"],
                constants=state["meaning_constants"],
                centres=state["meaning_centres"],
                share=float(state["meaning_share"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("state", "is no state of a machine for meaning") from error
        found.check(intents)
        return found

    def check(self, intents: int) -> None:
        """Refuse arrays that would make serving fail."""
        shape = (self.middle.size, intents)
        fits = (
            self.middle.ndim == 1
            and self.weights.shape == self.centres.shape == shape
            and self.constants.shape == (intents,)
            and 0 <= self.share <= 1
        )
        if not fits:
            raise InvalidInput("state", "arrays differ in length")
        tables = (self.middle, self.weights, self.constants, self.centres)
        if not all(np.isfinite(each).all() for each in tables):
            raise InvalidInput("state", "a weight is no number")
