"""What people begin to ask for and the shop does not have. Pure: texts in, proposals out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from storecrew.agents.research.settings import ResearchSettings
from storecrew.domain.control.proposals import Scalar
from storecrew.domain.shop.catalog import Product, SuggestProduct
from storecrew.models.keywords import Keyword, keywords, matches
from storecrew.models.trends import rises
from storecrew.sdk import Proposal

_LEAST_TEXTS = 3
"""Texts, or customers, that must speak of it in the last days: fewer are an anecdote."""
_EXAMPLES = 3
_ALL = 0.99
_RELATED = 0.3
"""Part of a keyword's words that a product of ours must have for the two to be related."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One piece of news, or one search."""

    said: str
    """Title and beginning of the news, or the words searched for."""
    day: int
    """`date.toordinal`."""
    source: str
    """Where it stands: an address, or `our own search`."""


@dataclass(frozen=True, kw_only=True)
class ResearchCatalog:
    """Our products, and those of them that rise."""

    products: Sequence[Product]
    rising: frozenset[str]
    """SKUs that sold more in the last days than chance and the weeks before explain."""


def ideas(
    texts: Sequence[Text],
    catalogue: ResearchCatalog,
    known: Sequence[str],
    settings: ResearchSettings,
) -> Iterator[Proposal]:
    """Propose products that are asked for more and more, and that the shop does not have.

    What is related to our products, or was searched for in our shop, comes first; of all else only
    phrases of two words and more, as single words of the news are seldom goods. `known` are names
    that were suggested before.
    """
    news = [n for n, each in enumerate(texts) if each.source != OWN_SEARCH]
    found = [
        replace(word, examples=tuple(news[n] for n in word.examples))
        for word in keywords(
            [texts[n].said for n in news],
            [texts[n].day for n in news],
            recent=settings.recent_days,
        )
    ]
    found += searches(texts, settings.recent_days)
    names = [product.name for product in catalogue.products]
    ranked: list[tuple[tuple[bool, float, float], Keyword, list[int]]] = []
    for word in found:
        sure = word.rising and word.low >= settings.min_growth and word.recent >= _LEAST_TEXTS
        if not sure or matches(word.words, names, least=_ALL) or _is_known(word.words, known):
            continue
        near = [n for n, _ in matches(word.words, names, least=_RELATED)]
        searched = any(texts[n].source == OWN_SEARCH for n in word.examples)
        if near or searched or " " in word.words:
            ranked.append(((not (near or searched), word.q, -word.low), word, near))
    ranked.sort(key=lambda each: each[0])
    chosen: list[str] = []
    heard: set[int] = set()
    for _, word, near in ranked:
        repeats = _is_known(word.words, chosen) or heard & set(word.examples)
        if len(chosen) < settings.max_suggestions and not repeats:
            chosen.append(word.words)
            heard |= set(word.examples)
            yield _idea(word, texts, catalogue, near)


OWN_SEARCH = "our own search"


def searches(texts: Sequence[Text], recent: int) -> list[Keyword]:
    """Return what was searched for in our shop, with how sure it rises beside all searches.

    A search is a phrase as it is: nobody searches in sentences, and what everybody searches for is
    no filler. Nothing is said with less history than three times `recent` days.
    """
    asked: dict[str, list[int]] = {}
    for n, text in enumerate(texts):
        if text.source == OWN_SEARCH:
            asked.setdefault(text.said, []).append(n)
    if not asked:
        return []
    last = max(text.day for text in texts)
    span = last - min(texts[n].day for places in asked.values() for n in places) + 1
    if span < 3 * recent:
        return []
    counts = np.zeros((len(asked), span))
    for row, places in enumerate(asked.values()):
        for n in places:
            counts[row, texts[n].day - last + span - 1] += 1
    rising = rises(counts, recent=recent, exposure=counts.sum(axis=0))
    return [
        Keyword(
            words=words,
            recent=int(rising.recent[row]),
            expected=float(rising.expected[row]),
            growth=float(rising.growth[row]),
            low=float(rising.low[row]),
            q=float(rising.q[row]),
            rising=bool(rising.rising[row]),
            examples=tuple(sorted(places, key=lambda n: -texts[n].day)[:_EXAMPLES]),
        )
        for row, (words, places) in enumerate(asked.items())
    ]


def _idea(
    word: Keyword, texts: Sequence[Text], catalogue: ResearchCatalog, near: Sequence[int]
) -> Proposal:
    sources = list(dict.fromkeys(texts[n].source for n in word.examples))
    related = [catalogue.products[n] for n in near]
    reason = (
        f"{word.recent} {_counted(sources)} of the last days are about {word.words!r}, "
        f"{word.expected:.1f} were expected; no product of ours is called so."
    )
    rows: list[dict[str, Scalar]] = [
        {"sku": each.sku, "name": each.name, "rising": each.sku in catalogue.rising}
        for each in related
    ]
    return Proposal(
        action=SuggestProduct(name=word.words.title(), reason=reason, source=sources[0]),
        reason=reason,
        evidence={
            "keyword": word.words,
            "texts_recent": word.recent,
            "texts_expected": round(word.expected, 2),
            "growth": round(word.growth, 2),
            "growth_at_least": round(word.low, 2),
            "false_alarm_rate": round(word.q, 4),
            "related_products": rows,
            "sources": [
                {"text": texts[n].said[:200], "source": texts[n].source} for n in word.examples
            ],
        },
    )


def _counted(sources: Sequence[str]) -> str:
    return "searches in our shop" if OWN_SEARCH in sources else "pieces of news"


def _is_known(words: str, names: Sequence[str]) -> bool:
    """Tell whether a name has all of these words, or these words have all of a name."""
    either = (matches(words, [n], least=_ALL) or matches(n, [words], least=_ALL) for n in names)
    return any(either)
