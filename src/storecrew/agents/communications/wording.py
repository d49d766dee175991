"""The words of each message, per language: templates filled with an order's facts. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from storecrew.domain.money import Money


class OrderNews(StrEnum):
    """What a customer is told of an order."""

    PLACED = "placed"
    APPROVED = "approved"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"
    LATE = "late"
    """The carrier says that the parcel will be late."""
    DELAYED = "delayed"
    """The supplier of a product that it holds will be late."""


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """What a message about an order may say."""

    name: str
    number: int
    items: Sequence[tuple[int, str]] = ()
    """Units and product names."""
    total: Money
    amount: Money | None = None
    """Paid back, where it is."""
    product: str = ""
    """The product that is late."""
    day: date | None = None
    """When it should come now, if anybody knows."""


@dataclass(frozen=True, kw_only=True)
class _Phrases:
    hello: str
    nameless: str
    items: str
    total: str
    back: str
    by: str
    order: Mapping[OrderNews, tuple[str, str]]
    """Title and first sentences."""
    in_stock: tuple[str, str]
    bye: str
    comma: str
    """Before the cents."""
    day: str
    """How a date is written."""


_EN = _Phrases(
    hello="Hello {name},",
    nameless="Hello,",
    items="Your order:",
    total="Total: {total}",
    back="Paid back: {amount}",
    by="It should now arrive on {day}.",
    order={
        OrderNews.PLACED: (
            "We have your order {number}",
            "thank you for your order. We check it now and write again when it goes on.",
        ),
        OrderNews.APPROVED: (
            "Your order {number} is confirmed",
            "your order is confirmed and the goods are put aside for you. It leaves as soon as "
            "your payment is here.",
        ),
        OrderNews.PAID: (
            "Your payment for order {number} has arrived",
            "thank you, your payment has arrived. We are packing your order.",
        ),
        OrderNews.SHIPPED: (
            "Your order {number} is on its way",
            "your order has left our warehouse and is on its way to you.",
        ),
        OrderNews.DELIVERED: (
            "Your order {number} has arrived",
            "the carrier says that your order has arrived. We hope you like it. If anything is "
            "wrong with it, just answer this message.",
        ),
        OrderNews.CANCELLED: (
            "Your order {number} was cancelled",
            "your order was cancelled. What you paid for it is paid back to you.",
        ),
        OrderNews.RETURNED: (
            "Your return for order {number} is here",
            "what you sent back has arrived, and we pay it back to you.",
        ),
        OrderNews.REFUNDED: (
            "A refund for order {number}",
            "we have paid back what was left of your order.",
        ),
        OrderNews.LATE: (
            "Your order {number} will be late",
            "we are sorry: the carrier tells us that your parcel will be late.",
        ),
        OrderNews.DELAYED: (
            "Your order {number} may be late",
            "we are sorry: {product} reaches our warehouse later than planned, so your order may "
            "be late. You need not do anything; we write when it leaves.",
        ),
    },
    in_stock=(
        "{product} is back",
        "you asked us to tell you: {product} can be ordered again. This is the only message about "
        "it.",
    ),
    bye="Kind regards",
    comma=".",
    day="%d %B %Y",
)
_DE = _Phrases(
    hello="Guten Tag {name},",
    nameless="Guten Tag,",
    items="Ihre Bestellung:",
    total="Summe: {total}",
    back="Erstattet: {amount}",
    by="Neuer voraussichtlicher Termin: {day}.",
    order={
        OrderNews.PLACED: (
            "Ihre Bestellung {number} ist eingegangen",
            "vielen Dank für Ihre Bestellung. Wir prüfen sie und melden uns, sobald es weitergeht.",
        ),
        OrderNews.APPROVED: (
            "Ihre Bestellung {number} ist bestätigt",
            "Ihre Bestellung ist bestätigt, die Ware liegt für Sie bereit. Sobald Ihre Zahlung da "
            "ist, geht sie auf den Weg.",
        ),
        OrderNews.PAID: (
            "Ihre Zahlung für Bestellung {number} ist eingegangen",
            "vielen Dank, Ihre Zahlung ist eingegangen. Wir packen Ihre Bestellung.",
        ),
        OrderNews.SHIPPED: (
            "Ihre Bestellung {number} ist unterwegs",
            "Ihre Bestellung hat unser Lager verlassen und ist auf dem Weg zu Ihnen.",
        ),
        OrderNews.DELIVERED: (
            "Ihre Bestellung {number} ist angekommen",
            "laut Zusteller ist Ihre Bestellung angekommen. Wir hoffen, dass alles gefällt. Sollte "
            "etwas nicht stimmen, antworten Sie einfach auf diese Nachricht.",
        ),
        OrderNews.CANCELLED: (
            "Ihre Bestellung {number} wurde storniert",
            "Ihre Bestellung wurde storniert. Was Sie bezahlt haben, erstatten wir Ihnen.",
        ),
        OrderNews.RETURNED: (
            "Ihre Rücksendung zu Bestellung {number} ist da",
            "Ihre Rücksendung ist bei uns eingetroffen, und wir erstatten Ihnen den Betrag.",
        ),
        OrderNews.REFUNDED: (
            "Erstattung zu Bestellung {number}",
            "wir haben Ihnen den Rest Ihrer Zahlung erstattet.",
        ),
        OrderNews.LATE: (
            "Ihre Bestellung {number} verspätet sich",
            "es tut uns leid: Der Zusteller meldet, dass sich Ihr Paket verspätet.",
        ),
        OrderNews.DELAYED: (
            "Ihre Bestellung {number} kann sich verspäten",
            "es tut uns leid: {product} trifft später als geplant bei uns ein, daher kann sich "
            "Ihre Bestellung verspäten. Sie müssen nichts tun; wir melden uns beim Versand.",
        ),
    },
    in_stock=(
        "{product} ist wieder da",
        "Sie wollten Bescheid wissen: {product} kann wieder bestellt werden. Dies ist die einzige "
        "Nachricht dazu.",
    ),
    bye="Mit freundlichen Grüßen",
    comma=",",
    day="%d.%m.%Y",
)
_FR = _Phrases(
    hello="Bonjour {name},",
    nameless="Bonjour,",
    items="Votre commande :",
    total="Total : {total}",
    back="Remboursé : {amount}",
    by="Nouvelle date prévue : {day}.",
    order={
        OrderNews.PLACED: (
            "Nous avons reçu votre commande {number}",
            "merci pour votre commande. Nous la vérifions et vous écrivons dès qu'elle avance.",
        ),
        OrderNews.APPROVED: (
            "Votre commande {number} est confirmée",
            "votre commande est confirmée et les articles vous sont réservés. Elle part dès que "
            "votre paiement est là.",
        ),
        OrderNews.PAID: (
            "Votre paiement pour la commande {number} est arrivé",
            "merci, votre paiement est arrivé. Nous préparons votre colis.",
        ),
        OrderNews.SHIPPED: (
            "Votre commande {number} est en route",
            "votre commande a quitté notre entrepôt et elle est en route.",
        ),
        OrderNews.DELIVERED: (
            "Votre commande {number} est arrivée",
            "selon le transporteur, votre commande est arrivée. Nous espérons qu'elle vous plaît. "
            "Si quelque chose ne va pas, répondez simplement à ce message.",
        ),
        OrderNews.CANCELLED: (
            "Votre commande {number} a été annulée",
            "votre commande a été annulée. Ce que vous avez payé vous est remboursé.",
        ),
        OrderNews.RETURNED: (
            "Votre retour pour la commande {number} est arrivé",
            "votre retour est bien arrivé et nous vous remboursons.",
        ),
        OrderNews.REFUNDED: (
            "Un remboursement pour la commande {number}",
            "nous vous avons remboursé le reste de votre paiement.",
        ),
        OrderNews.LATE: (
            "Votre commande {number} aura du retard",
            "nous sommes désolés : le transporteur annonce un retard de votre colis.",
        ),
        OrderNews.DELAYED: (
            "Votre commande {number} peut avoir du retard",
            "nous sommes désolés : {product} arrive plus tard que prévu chez nous, votre commande "
            "peut donc avoir du retard. Vous n'avez rien à faire ; nous écrivons à l'envoi.",
        ),
    },
    in_stock=(
        "{product} est de retour",
        "vous vouliez le savoir : {product} peut de nouveau être commandé. C'est le seul message à "
        "ce sujet.",
    ),
    bye="Cordialement",
    comma=",",
    day="%d/%m/%Y",
)
_LANGUAGES = {"en": _EN, "de": _DE, "fr": _FR}
_MOST = 30
"""Lines of an order that a message lists."""


def about_order(news: OrderNews, facts: OrderFacts, locale: str) -> tuple[str, str]:
    """Return title and body of a message about an order."""
    words = _language(locale)
    title, body = (part.replace("{number}", str(facts.number)) for part in words.order[news])
    parts = [_hello(words, facts.name), body.replace("{product}", _plain(facts.product))]
    if facts.day is not None:
        parts.append(words.by.replace("{day}", facts.day.strftime(words.day)))
    if facts.amount is not None and facts.amount.amount > 0:
        parts.append(words.back.replace("{amount}", _money(facts.amount, words)))
    elif facts.items:
        lines = [f"{units} × {_plain(name)}" for units, name in facts.items[:_MOST]]
        lines += ["…"] if len(facts.items) > _MOST else []
        total = words.total.replace("{total}", _money(facts.total, words))
        parts.append("\n".join((words.items, *lines, total)))
    return title, "\n\n".join((*parts, words.bye))


def back_in_stock(product: str, name: str, locale: str) -> tuple[str, str]:
    """Return title and body of the message that a customer asked for."""
    words = _language(locale)
    title, body = (part.replace("{product}", _plain(product)) for part in words.in_stock)
    return title, "\n\n".join((_hello(words, name), body, words.bye))


def _language(locale: str) -> _Phrases:
    return _LANGUAGES.get(locale.replace("_", "-").partition("-")[0].lower(), _EN)


def _hello(words: _Phrases, name: str) -> str:
    known = _plain(name)
    return words.hello.replace("{name}", known) if known else words.nameless


def _plain(text: str) -> str:
    """Return a name as one line of printable text: names come from outside."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:100]


def _money(money: Money, words: _Phrases) -> str:
    rounded = money.rounded()
    return f"{str(rounded.amount).replace('.', words.comma)} {rounded.currency}"
