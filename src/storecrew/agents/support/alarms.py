"""Words after which a person has to look, whatever the question: pure functions over text.

What a customer writes is data. These patterns keep nobody out, as nothing that is written can
raise what an answer may do; they bring to a person what no template should answer.
"""

import re
import unicodedata

LONGEST = 4_000
"""Characters of a question that is answered without a person."""
_SHOUTED, _LETTERS = 0.7, 24
"""Share of capitals, among so many letters, that is shouting."""

_PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "tries to instruct the machine",
        r"\b(ignor\w*|disregard\w*|forget|override|overwrite|bypass|vergiss|ignoriere\w*|oublie\w*)"
        r"\b.{0,40}\b(instruction|rule|polic|prompt|previous|prior|above|system|anweisung|regel|"
        r"vorherig|consigne|règle|précédent)"
        r"|\b(system|developer|hidden|secret)\s*(prompt|message|mode|instruction)"
        r"|\byou are (now|no longer)\b|\bact as\b|\bpretend (to be|you)\b"
        r"|\brole\s*:\s*(system|tool)"
        r"|\bjailbreak|\bprompt injection|\bas an? (ai|language model|assistant|admin)\b"
        r"|\b(api|access|secret)[ _-]?(key|token)s?\b|\bdatabase password\b|\benv(ironment)? var"
        r"|<\s*/?\s*(script|system|tool|instruction|s)\b|\[/?inst\]|<\|\w+\|>|\{\{|\}\}|```"
        r"|\b(drop table|select \* from|union select|insert into)\b"
        r"|\b(acceptreturn|replytoticket|setprice|capturepayment|escalateticket|placeorder)\b"
        r"|\bdu bist (jetzt|nun)\b|\btu es (maintenant|désormais)\b",
    ),
    (
        "mentions a chargeback",
        r"\bcharge[ -]?backs?\b|\bdispute (the|this|my)\b|\b(rück(buchung|belastung)|"
        r"zurückbuchen|rétrofacturation|rejet de prélèvement)\b|\bmy bank\b.{0,30}\bback\b",
    ),
    (
        "mentions an injury or a danger",
        r"\b(injur\w*|hurt (me|my|him|her|us)|bleed\w*|hospital|doctor|allerg\w*|poison\w*|"
        r"burn(ed|t|s)? (me|my|his|her|the)|caught fire|on fire|fire|explod\w*|electric shock|"
        r"choke\w*|verletz\w*|krankenhaus|verbrannt|stromschlag|explodiert|blessé\w*|blessure|"
        r"hôpital|brûl\w*|choc électrique)\b",
    ),
    (
        "mentions the law",
        r"\b(lawyer|attorney|solicitor|legal (action|steps)|sue|lawsuit|court|police|"
        r"consumer (protection|rights)|ombudsman|gdpr|data protection|anwalt|klage|gericht|polizei|"
        r"verbraucherzentrale|dsgvo|datenschutz\w*|avocat|tribunal|plainte|rgpd|"
        r"défense des consommateurs)\b",
    ),
    (
        "mentions a fraud",
        r"\b(scam\w*|fraud\w*|stolen|identity theft|betrug|betrüger|gestohlen|arnaque\w*|"
        r"escroquerie|volé\w*)\b",
    ),
    (
        "is angry",
        r"\b(unacceptable|outrag\w*|disgust\w*|furious|ridiculous|worst|terrible|useless|liars?|"
        r"never again|fed up|damn|hell|shit\w*|f[u*]ck\w*|unverschämt\w*|frechheit|katastrophe|"
        r"scheiß\w*|inacceptable|scandal\w*|honteux|merde)\b|!{3,}",
    ),
)
_ALARMS = tuple(
    (name, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for name, pattern in _PATTERNS
)


def alarm(text: str) -> str:
    """Return why a person has to look at this text; empty where nothing speaks for it."""
    if len(text) > LONGEST:
        return "is longer than a question"
    plain = _plain(text)
    if any(_is_hidden(char) for char in text):
        return "holds characters that nobody sees"
    for name, pattern in _ALARMS:
        if pattern.search(plain):
            return name
    return "is angry" if _is_shouted(plain) else ""


def _plain(text: str) -> str:
    """Return the text as a reader sees it: compatible letters, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in {"Cf", "Co", "Cn"} or (
        unicodedata.category(char) == "Cc" and char not in "\n\r\t"
    )


def _is_shouted(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    if len(letters) < _LETTERS:
        return False
    return sum(char.isupper() for char in letters) / len(letters) > _SHOUTED
