"""Words of the news that rise, and the products that they speak of."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from storecrew.domain.errors import InvalidInput

if TYPE_CHECKING:
    from storecrew.models.trends import Rises

_WORD = re.compile(r"[^\W\d_](?:[\w'’&-]*\w)?")
_LONGEST_WORD = 40
_GRAMS = 3
_WORDS_PER_TEXT = 2000
_COMMON = 0.1
"""A word in more than this share of the texts joins others but says nothing at an end."""
_FEW_TEXTS = 20
"""With fewer texts no word is common: each would be."""
_CANDIDATES = 50_000
"""Most frequent phrases that are tested; the texts' number bounds the rest."""
_SWALLOWED = 0.8
"""A phrase is left out where a longer one makes up this share of its recent texts."""
_SMALL = 0.5
"""And a longer one where it makes up less than this share of a shorter one that rises."""
_EXAMPLES = 3
_ENDINGS = ("ies", "es", "s")


@dataclass(frozen=True, kw_only=True)
class Keyword:
    """A word or phrase of up to three words, in how many texts, and whether that rises."""

    words: str
    recent: int
    """Texts of the last days that have it."""
    expected: float
    """What the days before let expect."""
    growth: float
    """Recent over expected, drawn towards one where texts are few."""
    low: float
    """Growth that is exceeded with a chance of nine in ten."""
    q: float
    """False-discovery rate at which it counts as rising."""
    rising: bool
    examples: tuple[int, ...]
    """Places of the newest texts that have it."""


def keywords(
    texts: Sequence[str], days: Sequence[int], *, recent: int = 7, most: int = 50, fdr: float = 0.1
) -> list[Keyword]:
    """Return the words and phrases of the texts: those that rise first, the surest first.

    `days[n]` is the day of `texts[n]` (any count of days, such as date.toordinal); the newest day
    is today. A text counts once for a phrase, and equal texts count once in all. With no more
    history than three times `recent` days nothing can be told to rise: then phrases come by how
    many texts have them. Chance calls a share `fdr` of what rises; see `trends.rises`.
    """
    if len(texts) != len(days):
        raise InvalidInput("days", f"{len(days)} days for {len(texts)} texts")
    if most < 1 or recent < 1:
        raise InvalidInput("recent", "counts from one")
    if not texts:
        return []
    last = max(days)
    kept = _without_copies(texts, days)
    grams = {n: _phrases(texts[n]) for n in kept}
    candidates = _candidates(grams)
    found = _judged(candidates, grams, days, (last, recent, fdr))
    found.sort(key=lambda each: (not each.rising, each.q, -each.low, -each.recent, each.words))
    return _distinct(found)[:most]


def matches(
    words: str, names: Sequence[str], *, least: float = 0.5, most: int = 5
) -> list[tuple[int, float]]:
    """Return the products that a keyword speaks of: place in `names` and how well, best first.

    How well: the share of the keyword's words that a name has, rare words counting more (by the
    logarithm of how many names have them), plurals as singulars; 1 where it has all of them.
    """
    stems = _stems(words)
    sets = [_stems(name) for name in names]
    having = Counter(stem for each in sets for stem in each & stems)
    weight = {stem: log(1 + len(names) / (1 + having[stem])) for stem in stems}
    total = sum(weight.values())
    if total <= 0:
        return []
    scored = [(n, sum(weight[s] for s in each & stems) / total) for n, each in enumerate(sets)]
    good = [(n, score) for n, score in scored if score >= least and score > 0]
    return sorted(good, key=lambda each: (-each[1], len(sets[each[0]]), each[0]))[:most]


def _without_copies(texts: Sequence[str], days: Sequence[int]) -> list[int]:
    """Return the places of texts, newest first, each wording once: its first appearance counts."""
    first: dict[str, int] = {}
    for n in sorted(range(len(texts)), key=lambda n: days[n]):
        first.setdefault(" ".join(texts[n].lower().split()), n)
    return sorted(first.values(), key=lambda n: -days[n])


def _phrases(text: str) -> set[tuple[str, ...]]:
    """Return the phrases of one to three words in a text, within its sentences."""
    found: set[tuple[str, ...]] = set()
    for part in re.split(r"[.!?;:,()\[\]\"|\n]+", text[: 10 * _WORDS_PER_TEXT].lower()):
        words = [word for word in _WORD.findall(part) if len(word) <= _LONGEST_WORD]
        for size in range(1, _GRAMS + 1):
            found.update(zip(*(words[n:] for n in range(size)), strict=False))
    return found


def _candidates(grams: Mapping[int, set[tuple[str, ...]]]) -> list[tuple[str, ...]]:
    """Return the phrases worth testing: in several texts, and no common word at an end."""
    counts = Counter(gram for each in grams.values() for gram in each)
    limit = _COMMON * len(grams) if len(grams) >= _FEW_TEXTS else len(grams) + 1
    common = {gram[0] for gram, count in counts.items() if len(gram) == 1 and count > limit}
    least = 2 if len(grams) >= _FEW_TEXTS else 1
    kept = (
        gram
        for gram, count in counts.most_common()
        if count >= least
        and gram[0] not in common
        and gram[-1] not in common
        and len(gram[0]) > 2
        and len(gram[-1]) > 2
    )
    return [gram for gram, _ in zip(kept, range(_CANDIDATES), strict=False)]


def _judged(
    candidates: Sequence[tuple[str, ...]],
    grams: Mapping[int, set[tuple[str, ...]]],
    days: Sequence[int],
    terms: tuple[int, int, float],
) -> list[Keyword]:
    import numpy as np  # `storecrew --help` must not wait for it

    from storecrew.models.trends import rises

    last, recent, fdr = terms
    span = max(last - min(days[n] for n in grams) + 1, recent)
    place = {gram: row for row, gram in enumerate(candidates)}
    counts = np.zeros((len(candidates), span))
    texts = np.zeros(span)
    examples: list[list[int]] = [[] for _ in candidates]
    for n, having in grams.items():
        column = days[n] - last + span - 1
        texts[column] += 1
        for gram in having:
            row = place.get(gram)
            if row is not None:
                counts[row, column] += 1
                examples[row].append(n)
    rising = rises(counts, recent=recent, exposure=texts, fdr=fdr) if span >= 3 * recent else None
    newest = counts[:, -recent:].sum(axis=1)
    return [
        _keyword(" ".join(gram), int(newest[row]), rising, (row, tuple(examples[row][:_EXAMPLES])))
        for row, gram in enumerate(candidates)
    ]


def _keyword(
    words: str, recent: int, told: "Rises | None", where: tuple[int, tuple[int, ...]]
) -> Keyword:
    row, examples = where
    if told is None:
        return Keyword(
            words=words,
            recent=recent,
            expected=float(recent),
            growth=1.0,
            low=1.0,
            q=1.0,
            rising=False,
            examples=examples,
        )
    return Keyword(
        words=words,
        recent=recent,
        expected=float(told.expected[row]),
        growth=float(told.growth[row]),
        low=float(told.low[row]),
        q=float(told.q[row]),
        rising=bool(told.rising[row]),
        examples=examples,
    )


def _distinct(found: Sequence[Keyword]) -> list[Keyword]:
    """Leave out what only repeats another: the part of a phrase, or a phrase of a rising word."""
    recent = {each.words: each.recent for each in found}
    rising = {each.words for each in found if each.rising}
    dropped: set[str] = set()
    for each in found:
        for part in _parts(each.words):
            if part not in recent or (each.rising != (part in rising)):
                continue
            if each.recent >= _SWALLOWED * recent[part]:
                dropped.add(part)
            elif each.recent < _SMALL * recent[part]:
                dropped.add(each.words)
    return [each for each in found if each.words not in dropped]


def _parts(words: str) -> Iterator[str]:
    each = words.split(" ")
    for size in range(1, len(each)):
        for begin in range(len(each) - size + 1):
            yield " ".join(each[begin : begin + size])


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.lower())}


def _stem(word: str) -> str:
    """Return the word without a plural ending: rough, but the same for both sides."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
