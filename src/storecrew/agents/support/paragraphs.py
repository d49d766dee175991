"""The terms an answer rests on, in three languages; an owner's own words take their place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storecrew.domain.errors import InvalidInput

LOCALES = ("en", "de", "fr")
DEFAULT = "en"

SHIPPING, RETURNS, PAYMENT, PRIVACY, CONTACT = (
    "shipping",
    "returns",
    "payment",
    "privacy",
    "contact",
)
_LONGEST = 2_000
"""Characters of one paragraph."""

_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    SHIPPING: {
        "en": "Orders leave our warehouse once they are paid. Delivery usually takes up to "
        "{delivery_days} days from then on.",
        "de": "Bestellungen verlassen unser Lager, sobald sie bezahlt sind. Die Lieferung dauert "
        "danach in der Regel bis zu {delivery_days} Tage.",
        "fr": "Les commandes quittent notre entrepôt dès leur paiement. La livraison prend ensuite "
        "en général jusqu'à {delivery_days} jours.",
    },
    RETURNS: {
        "en": "Goods may be returned within {return_days} days of delivery. The price paid is "
        "refunded by the way it was paid.",
        "de": "Ware kann innerhalb von {return_days} Tagen nach der Lieferung zurückgegeben "
        "werden. Der gezahlte Preis wird auf dem Weg erstattet, auf dem er gezahlt wurde.",
        "fr": "Les articles peuvent être retournés dans les {return_days} jours suivant la "
        "livraison. Le prix payé est remboursé par le même moyen de paiement.",
    },
    PAYMENT: {
        "en": "An order is paid in full before it is sent. Nothing is charged for an order that "
        "we do not accept.",
        "de": "Eine Bestellung wird vor dem Versand vollständig bezahlt. Für eine Bestellung, die "
        "wir nicht annehmen, wird nichts berechnet.",
        "fr": "Une commande est payée en totalité avant son envoi. Rien n'est débité pour une "
        "commande que nous n'acceptons pas.",
    },
    PRIVACY: {
        "en": "We write about offers only to those who agreed. Each such message has a link that "
        "ends it at once.",
        "de": "Über Angebote schreiben wir nur denen, die zugestimmt haben. Jede solche Nachricht "
        "hat einen Link, der das sofort beendet.",
        "fr": "Nous n'écrivons au sujet de nos offres qu'aux personnes qui l'ont accepté. Chacun "
        "de ces messages contient un lien qui y met fin aussitôt.",
    },
    CONTACT: {},
}


@dataclass(frozen=True, kw_only=True)
class SupportSettings:
    """What the shop promises; the agent's section of `storecrew.yaml`."""

    return_days: float = 30
    """Days after delivery within which goods are taken back; as for order management."""
    delivery_days: float = 7
    """Days from payment within which a parcel usually arrives; later ones a person looks at."""
    answers: int = 1
    """Answers of ours after which a customer who writes again reaches a person."""
    watch_hours: float = 1
    """Hours after which an open ticket that nobody answered is looked at."""
    again_hours: float = 73
    """Hours after which it is looked at again."""
    terms: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Paragraphs in the owner's words, by name (`shipping`, `returns`, `payment`, `privacy`,
    `contact`) and language; `contact` has no default."""

    def paragraph(self, name: str, locale: str) -> str:
        """Return a paragraph in this language, else in English; empty where there is none."""
        for known in (self.terms.get(name, {}), _DEFAULTS.get(name, {})):
            if text := known.get(locale) or known.get(DEFAULT):
                return text.replace("{return_days}", f"{self.return_days:g}").replace(
                    "{delivery_days}", f"{self.delivery_days:g}"
                )
        return ""


def terms_from(settings: Mapping[str, Any]) -> SupportSettings:
    """Return the terms of the agent's settings, defaults where they say nothing."""
    numbers: dict[str, Any] = {}
    for name, kind in (
        ("return_days", float),
        ("delivery_days", float),
        ("answers", int),
        ("watch_hours", float),
        ("again_hours", float),
    ):
        if name in settings:
            numbers[name] = _number(name, settings[name], kind)
    return SupportSettings(**numbers, terms=_texts(settings.get("terms") or {}))


def _number(name: str, value: Any, kind: type[float] | type[int]) -> float:
    try:
        number = kind(str(value))
    except ValueError:
        raise InvalidInput(name, f"{value!r} is not a number") from None
    if number <= 0:
        raise InvalidInput(name, "must be above zero")
    return number


def _texts(given: Any) -> dict[str, dict[str, str]]:
    """Read paragraphs: one text for all languages, or one per language."""
    if not isinstance(given, Mapping):
        raise InvalidInput("terms", "must name paragraphs")
    found: dict[str, dict[str, str]] = {}
    for name, said in given.items():
        if name not in _DEFAULTS:
            raise InvalidInput(f"terms.{name}", f"is none of {', '.join(_DEFAULTS)}")
        texts = said if isinstance(said, Mapping) else {DEFAULT: said}
        for locale, text in texts.items():
            if locale not in LOCALES or not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
                raise InvalidInput(f"terms.{name}.{locale}", "must be a text in en, de or fr")
        found[str(name)] = dict(texts)
    return found
