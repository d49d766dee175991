"""Mends mistyped words by the words of the training examples."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

_SHORTEST = 3
_LONG = 7
"""Letters from which two slips in a word are mended, below only one."""
_USUAL = 2
"""Uses from which a word is taken to be spelt right."""


class Speller:
    """Finds the known word that a mistyped one was meant to be.

    Candidates by deletions on both sides (Garbe's symmetric delete), the nearest by edit distance
    with swapped neighbours (optimal string alignment), the more usual of two equally near.
    """

    def __init__(self, uses: Mapping[str, int]) -> None:
        self.uses = {word: count for word, count in uses.items() if count >= _USUAL}
        self._nearly: defaultdict[str, list[str]] = defaultdict(list)
        for word in self.uses:
            if len(word) >= _SHORTEST:
                for form in _shorter({word}) | {word}:
                    self._nearly[form].append(word)

    @classmethod
    def of(cls, texts: Iterable[Iterable[str]]) -> "Speller":
        """Learn the words of texts that are split already."""
        return cls(Counter(word for text in texts for word in text))

    def mend(self, word: str) -> str:
        """Return the word meant, or the word itself where it is known or nothing is near."""
        if word in self.uses or len(word) < _SHORTEST or any(c.isdigit() for c in word):
            return word
        forms = _shorter({word}) | {word}
        found = self._nearest(word, forms, 1)
        if found is None and len(word) >= _LONG:
            found = self._nearest(word, _shorter(forms), 2)
        return word if found is None else found

    def _nearest(self, word: str, forms: set[str], most: int) -> str | None:
        near = {known for form in forms for known in self._nearly.get(form, ())}
        ranked = [(distance(word, known), -self.uses[known], known) for known in near]
        best = min(ranked, default=None)
        return best[2] if best is not None and best[0] <= most else None


def distance(one: str, other: str) -> int:
    """Return how many letters must be put in, left out, changed or swapped with the next."""
    before: list[int] = []
    above = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        line = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(above[j] + 1, line[j - 1] + 1, above[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            line.append(cost)
        before, above = above, line
    return above[-1]


def _shorter(words: Iterable[str]) -> set[str]:
    """Return every word with each of its letters left out in turn."""
    return {word[:n] + word[n + 1 :] for word in words for n in range(len(word))}
