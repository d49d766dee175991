"""The fixed words of a letter, per language."""

from dataclasses import dataclass


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


TRANSLATIONS = {
    "en": Translation(
        language="en",
        open="Open",
        service="You get this message because of your order or your question at {shop}.",
        marketing="You get this message because you agreed to news from {shop}.",
        unsubscribe="Unsubscribe",
        page_title="News from {shop}",
        page_question="Do you want no more news from {shop}? Messages about your orders go on.",
        page_done="Done. You will get no more news from {shop}.",
    ),
    "de": Translation(
        language="de",
        open="Öffnen",
        service="Sie erhalten diese Nachricht zu Ihrer Bestellung oder Anfrage bei {shop}.",
        marketing="Sie erhalten diese Nachricht, weil Sie Neuigkeiten von {shop} zugestimmt haben.",
        unsubscribe="Abmelden",
        page_title="Neuigkeiten von {shop}",
        page_question="Keine Neuigkeiten von {shop} mehr? Nachrichten zu Ihren Bestellungen "
        "kommen weiterhin.",
        page_done="Erledigt. Sie erhalten keine Neuigkeiten von {shop} mehr.",
    ),
    "fr": Translation(
        language="fr",
        open="Ouvrir",
        service="Vous recevez ce message au sujet de votre commande ou de votre question "
        "chez {shop}.",
        marketing="Vous recevez ce message car vous avez accepté les nouvelles de {shop}.",
        unsubscribe="Se désabonner",
        page_title="Nouvelles de {shop}",
        page_question="Ne plus recevoir de nouvelles de {shop} ? Les messages sur vos commandes "
        "continuent.",
        page_done="C'est fait. Vous ne recevrez plus de nouvelles de {shop}.",
    ),
}


def translation_of(locale: str) -> Translation:
    """Return the words of a locale such as `de-AT`; English for a language we do not have."""
    return TRANSLATIONS.get(locale.replace("_", "-").partition("-")[0].lower(), TRANSLATIONS["en"])
