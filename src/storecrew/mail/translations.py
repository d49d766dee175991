"""The fixed words of a letter, per language."""

from dataclasses import dataclass

from storecrew.domain.texts import catalogue, language_of


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What every letter of one language says beside its own text."""

    language: str
    open: str
    """On a button."""
    service: str
    """Why one gets a message about an order; `{shop}` is the shop's name."""
    marketing: str
    unsubscribe: str
    """The link's words."""
    page_title: str
    """Of the page that the link leads to."""
    page_question: str
    page_done: str


def translation_of(locale: str) -> Translation:
    """Return the words of a locale such as `de-AT`; English for a language we do not have."""
    language = language_of(locale)
    return Translation(language=language, **catalogue(__package__, language))
