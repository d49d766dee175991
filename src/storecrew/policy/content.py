"""What goes out to customers is read once more: text that no shop means to send waits for a person.

Pure. It finds accidents (a placeholder left open, a key pasted in) and abuse (a link elsewhere,
letters that only look like others); it does not judge style.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.domain.shop.support import ReplyToTicket
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.rule_result import RuleResult, allow, require_approval
from storecrew.policy.settings import PolicySettings

_PLACEHOLDER = re.compile(
    r"\{\{.{0,80}?\}\}|\$\{[^}]{0,80}\}|\{%.{0,80}?%\}|\{[A-Za-z_][\w .]{0,40}\}|%\(\w{1,40}\)s"
    r"|\[(?:your |customer |first |last |order )?(?:name|number|date)\]|lorem ipsum",
    re.IGNORECASE | re.DOTALL,
)
_DIGITS = re.compile(r"(?<![\d-])[2-6](?:[ -]?\d){12,18}(?![\d-])")
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\b(?:sk|pk|rk)_(?:live|test)_\w{10,}"
    r"|\bsck_\w{20,}|\bgh[pousr]_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{20,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}"
    r"|\b(?:password|passwort|mot de passe|api[ _-]?key|secret|token) ?[:=] ?\S{6,}",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"\b([a-z][a-z0-9+.-]{1,20})://[^\s<>\"']{1,2000}"
    r"|\b(javascript|data|vbscript):[^\s]"
    r"|\bwww\.[^\s<>\"']{1,2000}"
    r"|(?<![@\w.-])(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}/[^\s<>\"']{0,2000}",
    re.IGNORECASE,
)
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "FULLWIDTH", "MATHEMATICAL")
"""Writings whose letters are taken for each other's."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_FINE_CONTROLS = "\n\r\t"
_JOINERS = "\u200c\u200d\ufe0f"
"""Invisible, and needed by some scripts and by emoji."""

Check = Callable[[str, PolicySettings], str | None]


def content(proposal: Proposal, facts: PolicyFacts, settings: PolicySettings) -> RuleResult | None:
    """Ask about text to customers that holds what no shop means to send."""
    match proposal.action:
        case SendMessage(title=title, body=body) | StartCampaign(title=title, body=body):
            found = _first_problem(f"{title}\n\n{body}", settings)
            if found is None and not (title.strip() and body.strip()):
                found = "it is empty"
        case ReplyToTicket(text=text):
            found = _first_problem(text, settings) or ("it is empty" if not text.strip() else None)
        case _:
            return None
    if found is None:
        return allow("content", "the text holds nothing odd")
    return require_approval("content", f"a person reads it first: {found}")


def _first_problem(text: str, settings: PolicySettings) -> str | None:
    checks: tuple[Check, ...] = (_hidden, _mixed, _open, _card, _key, _foreign_link, _word)
    return next((found for check in checks if (found := check(text, settings))), None)


def _hidden(text: str, _settings: PolicySettings) -> str | None:
    """Find characters that cannot be seen, or that change how others are read."""
    if text.isprintable():
        return None
    for char in text:
        if char in _FINE_CONTROLS or char in _JOINERS or char.isprintable():
            continue
        if unicodedata.category(char) != "Zs":  # blanks of other widths
            return f"it holds the character U+{ord(char):04X}"
    return None


def _mixed(text: str, _settings: PolicySettings) -> str | None:
    """Find words whose letters come from writings that look alike."""
    if text.isascii():
        return None
    for word in _WORD.findall(text):
        if not word.isascii() and len(_scripts_of(word)) > 1:
            return f"{word!r} mixes letters that look alike"
    return None


def _scripts_of(word: str) -> set[str]:
    names = (unicodedata.name(char, "").partition(" ")[0] for char in word)
    return {name for name in names if name in _SCRIPTS}


def _open(text: str, _settings: PolicySettings) -> str | None:
    found = _PLACEHOLDER.search(text)
    return f"{found[0][:40]!r} was never filled in" if found else None


def _card(text: str, _settings: PolicySettings) -> str | None:
    for found in _DIGITS.finditer(text):
        digits = [int(char) for char in found[0] if char.isdigit()]
        if _is_luhn(digits):
            return "it seems to hold the number of a payment card"
    return None


def _is_luhn(digits: list[int]) -> bool:
    """Tell whether the check digit fits, as it does on every payment card (ISO/IEC 7812)."""
    doubled = [digit if n % 2 == 0 else digit * 2 for n, digit in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _key(text: str, _settings: PolicySettings) -> str | None:
    return "it seems to hold a key or a password" if _SECRET.search(text) else None


def _foreign_link(text: str, settings: PolicySettings) -> str | None:
    for found in _LINK.finditer(text):
        host = _host(found[0])
        if found[2] or (found[1] or "https").lower() not in ("http", "https"):
            return f"{found[0][:60]!r} is no link to a page"
        if host not in {name.lower() for name in settings.link_hosts}:
            return f"it links to {host or found[0][:60]!r}, which policy.link_hosts does not name"
    return None


def _host(link: str) -> str:
    """Return the host that a reader of the link is sent to; empty where it is hidden."""
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        return "" if parts.username is not None else (parts.hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def _word(text: str, settings: PolicySettings) -> str | None:
    if not settings.blocked_words:
        return None
    found = _blocked(tuple(settings.blocked_words)).search(_plain(text))
    return f"it holds the word {found[0]!r}" if found else None


@lru_cache(maxsize=16)
def _blocked(words: tuple[str, ...]) -> re.Pattern[str]:
    some = "|".join(re.escape(_plain(word)) for word in words if word.strip())
    return re.compile(rf"(?<!\w)(?:{some})(?!\w)" if some else r"(?!)")


def _plain(text: str) -> str:
    """Return the text as its blocked words are looked for: one width, one case."""
    return unicodedata.normalize("NFKC", text).casefold()
