"""The terms an answer rests on, in three languages; an owner's own words take their place."""

from collections.abc import Mapping

LOCALES = ("en", "de", "fr")
DEFAULT = "en"

SHIPPING, RETURNS, PAYMENT, PRIVACY, CONTACT = (
    "shipping",
    "returns",
    "payment",
    "privacy",
    "contact",
)
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


def default_paragraph(name: str, locale: str) -> str:
    """Return the paragraph that comes with the product, in this language or else in English."""
    texts = _DEFAULTS.get(name, {})
    return texts.get(locale) or texts.get(DEFAULT) or ""
