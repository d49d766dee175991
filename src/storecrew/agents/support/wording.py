"""The sentences of an answer, in three languages. They hold facts of the order, and no more."""

from collections.abc import Mapping

HELLO: Mapping[str, str] = {
    "en": "Hello{name},",
    "de": "Guten Tag{name},",
    "fr": "Bonjour{name},",
}
BYE: Mapping[str, str] = {
    "en": "If this does not answer your question, just reply: a person reads it.",
    "de": "Falls das Ihre Frage nicht beantwortet, antworten Sie einfach: Ein Mensch liest es.",
    "fr": "Si cela ne répond pas à votre question, répondez simplement : une personne lira.",
}

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "received": {
        "en": "Your order {order} of {placed} over {total} has arrived here and is being checked.",
        "de": "Ihre Bestellung {order} vom {placed} über {total} ist da und wird geprüft.",
        "fr": "Votre commande {order} du {placed} de {total} est arrivée et est en cours de "
        "vérification.",
    },
    "awaiting_payment": {
        "en": "Your order {order} of {placed} over {total} is accepted; it leaves as soon as it "
        "is paid.",
        "de": "Ihre Bestellung {order} vom {placed} über {total} ist angenommen; sie geht heraus, "
        "sobald sie bezahlt ist.",
        "fr": "Votre commande {order} du {placed} de {total} est acceptée ; elle partira dès "
        "qu'elle sera payée.",
    },
    "paid": {
        "en": "Your order {order} of {placed} over {total} is paid and about to leave.",
        "de": "Ihre Bestellung {order} vom {placed} über {total} ist bezahlt und geht bald heraus.",
        "fr": "Votre commande {order} du {placed} de {total} est payée et va bientôt partir.",
    },
    "awaiting_delivery": {
        "en": "Your order {order} of {placed} over {total} left us on {updated} and is on its way.",
        "de": "Ihre Bestellung {order} vom {placed} über {total} ging am {updated} heraus und ist "
        "unterwegs.",
        "fr": "Votre commande {order} du {placed} de {total} est partie le {updated} et est en "
        "route.",
    },
    "delivered": {
        "en": "According to the carrier your order {order} of {placed} arrived on {updated}.",
        "de": "Laut Paketdienst kam Ihre Bestellung {order} vom {placed} am {updated} an.",
        "fr": "Selon le transporteur, votre commande {order} du {placed} est arrivée le {updated}.",
    },
    "cancelled": {
        "en": "Your order {order} of {placed} was called off on {updated}.",
        "de": "Ihre Bestellung {order} vom {placed} wurde am {updated} storniert.",
        "fr": "Votre commande {order} du {placed} a été annulée le {updated}.",
    },
    "refunded": {
        "en": "For your order {order} the money went back on {updated}; banks take some days to "
        "show it.",
        "de": "Zu Ihrer Bestellung {order} ging das Geld am {updated} zurück; bei der Bank "
        "erscheint es nach einigen Tagen.",
        "fr": "Pour votre commande {order}, l'argent a été remboursé le {updated} ; votre banque "
        "l'affichera sous quelques jours.",
    },
    "refund_begun": {
        "en": "Everything of your order {order} is back with us, and its refund is being made.",
        "de": "Von Ihrer Bestellung {order} ist alles zurück; die Erstattung wird veranlasst.",
        "fr": "Tout le contenu de votre commande {order} nous est revenu ; le remboursement est "
        "en cours.",
    },
    "return_begun": {
        "en": "We have noted that you want to return your order {order}, delivered on {updated}. "
        "We write again once the return is booked.",
        "de": "Wir haben notiert, dass Sie Ihre Bestellung {order}, geliefert am {updated}, "
        "zurückgeben möchten. Wir melden uns, sobald die Rückgabe gebucht ist.",
        "fr": "Nous avons noté que vous souhaitez retourner votre commande {order}, livrée le "
        "{updated}. Nous vous écrirons dès que le retour sera enregistré.",
    },
    "methods": {
        "en": "You can pay by: {methods}.",
        "de": "Sie können so bezahlen: {methods}.",
        "fr": "Vous pouvez payer par : {methods}.",
    },
}


def letter(locale: str, name: str, *parts: str) -> str:
    """Return the whole answer: a greeting, what there is to say, and where a person is found."""
    hello = HELLO[locale].format(name=f" {name}" if name else "")
    return "\n\n".join([hello, *(part for part in parts if part), BYE[locale]])


def sentence(key: str, locale: str, facts: Mapping[str, str]) -> str:
    """Return one sentence with its facts."""
    return SENTENCES[key][locale].format_map(dict(facts))
