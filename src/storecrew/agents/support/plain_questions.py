"""Questions that every shop is asked in nearly the same words: known before any model is trained.

A text counts only where each of its sentences is such a question or a courtesy; anything beside
them is for the model, or for a person.
"""

import re
import unicodedata

_LONGEST = 400
"""Characters of a text that is looked at; longer ones say more than a plain question."""
_ORDER = r"(?:order|parcel|package|delivery|purchase)"
_NUMBER = r"(?:\s*(?:no\.?|nr\.?|number|#)?\s*#?\d{1,15})?"
_BESTELLUNG = r"(?:bestellung|paket|lieferung|sendung|ware)"
_COMMANDE = r"(?:commande|colis|livraison)"
_QUESTIONS: tuple[tuple[str, str], ...] = (
    (
        "order_status",
        rf"where(?: is|'s|s) (?:my|the|our) {_ORDER}{_NUMBER}"
        rf"|when (?:will|does) (?:my |the )?{_ORDER}{_NUMBER} (?:arrive|come|get here|be delivered)"
        rf"|(?:what is|what's) the status of (?:my )?{_ORDER}{_NUMBER}"
        rf"|has (?:my )?{_ORDER}{_NUMBER} (?:been )?(?:sent|shipped|left)(?: yet)?"
        rf"|(?:status of )?(?:my )?order{_NUMBER} status"
        rf"|wo (?:ist|bleibt) (?:meine?|die|das) {_BESTELLUNG}{_NUMBER}"
        rf"|wann kommt (?:meine?|die|das) {_BESTELLUNG}{_NUMBER}(?: an)?"
        rf"|où (?:est|en est) (?:ma|mon|la|le) {_COMMANDE}{_NUMBER}"
        rf"|quand (?:arrive|arrivera) (?:ma|mon) {_COMMANDE}{_NUMBER}",
    ),
    (
        "shipping_terms",
        r"(?:do|can|could|would) you (?:also )?(?:ship|deliver|send)"
        r"(?: (?:it|goods|orders|parcels))? (?:abroad|internationally|(?:to|in|into) [\w' -]{2,40})"
        r"|which countries do you (?:ship|deliver|send) to"
        r"|how much (?:is|does) (?:the )?(?:shipping|delivery|postage)(?: cost)?"
        r"|what (?:are|is) (?:your|the) (?:shipping|delivery) (?:costs?|terms|charges?)"
        r"|how long does (?:the )?(?:shipping|delivery)(?: usually)? take"
        r"|(?:liefern|versenden|schicken) sie (?:auch )?(?:nach|in die|ins) [\w' -]{2,40}"
        r"|was kostet (?:der versand|die lieferung)|wie lange dauert (?:der versand|die lieferung)"
        r"|(?:livrez|expédiez)-vous (?:aussi )?(?:en|au|aux|à|à l'étranger)(?: [\w' -]{2,40})?"
        r"|combien coûte la livraison|quels sont les délais de livraison",
    ),
    (
        "payment_methods",
        r"how can i pay|(?:which|what) (?:payment methods|ways to pay) "
        r"(?:do you (?:accept|offer|take)|are there)|wie kann ich (?:be)?zahlen"
        r"|welche zahlungsarten (?:bieten sie an|gibt es)"
        r"|comment (?:puis-je|peut-on) payer|quels moyens de paiement acceptez-vous",
    ),
    (
        "return_item",
        r"what is your (?:returns? policy|return period)"
        r"|(?:what are|how long are) your returns? terms"
        r"|how do (?:i|returns) (?:return something|work)|can i return (?:things|something|goods)"
        r"|wie lange (?:kann|darf) ich (?:ware |etwas )?zurückgeben|wie funktioniert die rückgabe"
        r"|quel est le délai de retour",
    ),
)
_DESTINATION = re.compile(
    r"\b(?:abroad|internationally|which countries|étranger)\b"
    r"|\b(?:ship|deliver|send)\w*(?: \w+)? (?:to|in|into) \w"
    r"|\b(?:liefern|versenden|schicken) sie (?:auch )?(?:nach|in|ins)\b"
    r"|(?:livrez|expédiez)-vous\b",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"(?:hi|hello|hey|dear .{1,40}|good (?:morning|day|evening)|hallo|guten (?:tag|morgen)|moin"
    r"|bonjour|sehr geehrte .{1,40}|(?:many )?thanks?(?: you)?(?: (?:very|so) much| in advance)?"
    r"|danke(?: schön)?|vielen dank(?: im voraus)?|merci(?: d'avance)?|please|bitte"
    r"|(?:kind|best|warm)? ?regards|cheers|(?:mit freundlichen|viele|liebe) grüßen?|cordialement"
    r"|(?:a |one )?(?:quick )?question|frage|eine frage|order|bestellung|delivery"
    r"|shipping|hilfe|help)"
    r"(?: \w{1,20})?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?\n;]+|,\s*(?=where|when|do you|wo |wann |liefern|où )", re.IGNORECASE)


def plain_question(text: str) -> str:
    """Return the intent of a text that is nothing but one plain question; empty for any other."""
    if len(text) > _LONGEST:
        return ""
    found: set[str] = set()
    is_signed = False
    for sentence in _sentences(text):
        intent = next((name for name, form in _QUESTIONS if _is(form, sentence)), "")
        if intent:
            found.add(intent)
            is_signed = False
        elif _COURTESY.fullmatch(sentence):
            is_signed = True
        elif not (is_signed and found and _is(r"[\w'-]+(?: [\w'-]+){0,2}", sentence)):  # a name
            return ""
    return found.pop() if len(found) == 1 else ""


def asks_for_a_destination(text: str) -> bool:
    """Tell whether a question about shipping asks where the shop delivers."""
    return bool(_DESTINATION.search(text))


def _sentences(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    parts = (" ".join(part.split()).strip(" ,:-") for part in _SENTENCE.split(plain))
    return [part for part in parts if part]


def _is(form: str, sentence: str) -> bool:
    polite = r"(?:(?:please|so|and|hi|hello|hallo|bonjour|can you tell me),? )?"
    return bool(re.fullmatch(f"{polite}(?:{form})(?: please| bitte)?", sentence, re.IGNORECASE))
