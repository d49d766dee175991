"""The terms that an answer rests on; an owner's own words take their place."""

from storecrew.domain.texts import catalogue, language_of

SHIPPING, RETURNS, PAYMENT, PRIVACY, CONTACT = (
    "shipping",
    "returns",
    "payment",
    "privacy",
    "contact",
)


def default_paragraph(name: str, locale: str) -> str:
    """Return the paragraph that comes with the product; empty for `contact`, which has none."""
    text: str = catalogue(__package__, language_of(locale))["paragraphs"].get(name, "")
    return text
