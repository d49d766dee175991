"""Whether a server's refusal says that the mailbox does not exist, which alone bars an address."""

import re

_NAMES_THE_MAILBOX = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
"""Status codes (RFC 3463) of an address that does not exist or whose mailbox is switched off."""
_VAGUE = ("", "5.0.0", "5.1.0", "5.2.0", "5.5.0")
"""Status codes that say nothing: the words decide."""
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_SUBJECT = r"(?:user|mailbox|recipient|address|account|e-?mail|inbox|person|domain|host)"
_NO_SUCH = re.compile(
    rf"no such {_SUBJECT}|no {_SUBJECT} here|no mailbox|(?:unknown|invalid|bad) {_SUBJECT}"
    rf"|{_SUBJECT}\b[^.;]{{0,80}}?(?:is |was )?(?:unknown|not found|not exist|n.t exist|disabled"
    r"|inactive|deactivated|no longer (?:in use|valid|active))"
    r"|does ?n.t exist|does not exist|no longer (?:valid|active)",
    re.IGNORECASE,
)
_ABOUT_THE_SENDER = re.compile(
    r"\b(?:spf|dkim|dmarc|spam|reputation|relay\w*|polic\w*|sender|dynamic|quota|full|banned"
    r"|bl[oa]ck(?:ed)?[ -]?(?:list\w*)?|\w*listed|rbl|dnsbl|rate|too many|limit\w*|greylist\w*"
    r"|try again|temporar\w*|virus|content)\b",
    re.IGNORECASE,
)
_LONGEST = 1_000


def names_mailbox(text: str, status: str = "") -> bool:
    """Tell whether a final refusal is against the mailbox itself.

    In doubt it is not: an address that is barred wrongly is never written to again, and one that
    is not barred costs one more letter that comes back.
    """
    words = _without_addresses(text[:_LONGEST])
    stated = status or (found[1] if (found := _STATUS.search(words)) else "")
    if _ABOUT_THE_SENDER.search(words):
        return False
    if stated in _NAMES_THE_MAILBOX:
        return True
    return stated in _VAGUE and bool(_NO_SUCH.search(words))


def _without_addresses(text: str) -> str:
    """Return the text without addresses, whose names say nothing of the reason."""
    return re.sub(r"\S*@\S*", " ", text)
