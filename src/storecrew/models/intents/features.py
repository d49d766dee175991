"""Texts as numbers: three views of their words and letters, each weighed by rarity (TF-IDF)."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.models.intents.spelling import Speller

Floats = NDArray[np.float32]
Sparse = Any
"""scipy's csr_matrix, which has no types."""

_LONGEST = 2000
"""Letters read of a text: what is wanted stands at the beginning."""
_WINDOW = 4
"""Words apart that a pair may stand."""
_STEM = 5
"""Letters that stand for a word's stem, in any language."""
_GRAMS = (2, 3, 4, 5)
_VIEWS = ("w", "s", "c")


def split(text: str) -> list[str]:
    """Return the text's words in small letters, without apostrophes."""
    plain = unicodedata.normalize("NFKC", text[:_LONGEST]).lower()
    return re.findall(r"\w+", re.sub(r"['’`]", "", plain))


def terms(words: Sequence[str]) -> Iterator[str]:
    """Yield what a text consists of, each with its view's letter before it.

    w: words, and pairs of words at most four apart, in either order; s: stems, and neighbouring
    stems in order; c: 2 to 5 letters within a word and its borders.
    """
    stems = [word[:_STEM] for word in words]
    for n, word in enumerate(words):
        yield "w" + word
        yield "s" + stems[n]
        if n:
            yield f"s{stems[n - 1]} {stems[n]}"
        for other in words[n + 1 : n + 1 + _WINDOW]:
            yield f"w{word} {other}" if word <= other else f"w{other} {word}"
        framed = f" {word} "
        for size in _GRAMS:
            for begin in range(max(1, len(framed) - size + 1)):
                yield "c" + framed[begin : begin + size]


@dataclass(frozen=True)
class Lexicon:
    """The terms that training knew, with their weights."""

    names: NDArray[np.str_]
    """Term per column, those of a view together."""
    rarity: Floats
    """Inverse document frequency, ln((1 + texts)/(1 + texts with it)) + 1."""
    uses: Mapping[str, int]
    """How often each word was used."""

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        return {name: n for n, name in enumerate(self.names.tolist())}

    @cached_property
    def _view(self) -> NDArray[np.int64]:
        return np.array([_VIEWS.index(name[0]) for name in self.names.tolist()], np.int64)

    @cached_property
    def speller(self) -> Speller:
        """The words known, to mend others by."""
        return Speller(self.uses)

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> "Lexicon":
        """Learn the terms of texts that are split; terms of one text alone are left out."""
        documents = Counter(term for words in texts for term in set(terms(words)))
        kept = sorted(t for t, count in documents.items() if count > 1 or _is_word(t))
        count = np.array([documents[name] for name in kept], np.float64)
        rarity = (np.log((1 + len(texts)) / (1 + count)) + 1).astype(np.float32)
        uses = Counter(word for words in texts for word in words)
        return cls(np.array(kept, np.str_), rarity, uses)

    def vector(self, words: Sequence[str]) -> tuple[NDArray[np.int64], Floats]:
        """Return columns and weights of a text: (1 + ln count)·rarity, each view of length one."""
        found = Counter(
            column for term in terms(words) if (column := self._columns.get(term)) is not None
        )
        columns = np.array(sorted(found), np.int64)
        count = np.array([found[n] for n in columns.tolist()], np.float32)
        weight = (1 + np.log(np.maximum(count, 1))) * self.rarity[columns]
        lengths = np.sqrt(np.bincount(self._view[columns], weight**2, len(_VIEWS)))
        scaled: Floats = (weight / lengths[self._view[columns]]).astype(np.float32)
        return columns, scaled

    def matrix(self, texts: Iterable[Sequence[str]]) -> Sparse:
        """Return the vectors of split texts as rows."""
        from scipy import sparse  # takes a quarter of a second to import

        vectors = [self.vector(words) for words in texts]
        pointer = np.cumsum([0, *(columns.size for columns, _ in vectors)])
        columns = np.concatenate([np.zeros(0, np.int64), *(c for c, _ in vectors)])
        weights = np.concatenate([np.zeros(0, np.float32), *(w for _, w in vectors)])
        return sparse.csr_matrix((weights, columns, pointer), (len(vectors), self.names.size))

    def mend(self, words: Sequence[str]) -> list[str]:
        """Return the words with the mistyped ones as they were meant."""
        return [self.speller.mend(word) for word in words]

    def known(self, words: Sequence[str]) -> float:
        """Return the share of words, weighed by their rarity, that training knew; 1 of none."""
        most = float(self.rarity.max(initial=1.0))
        total = heard = 0.0
        for word in words:
            column = self._columns.get("w" + word)
            weight = most if column is None else float(self.rarity[column])
            total += weight
            heard += 0.0 if column is None else weight
        return heard / total if total else 1.0


def _is_word(term: str) -> bool:
    return term[0] == "w" and " " not in term
