"""What the owner's own mail host says of a mail's sender (RFC 8601)."""

import re
from collections.abc import Sequence
from enum import StrEnum

_RESULT = re.compile(r"\s*(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)
_DOMAIN = re.compile(r"\b(?:header\.d|header\.i|smtp\.mailfrom)\s*=\s*([^\s;]+)", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_DEEPEST = 4
"""Levels of nested comments that are taken out."""
_FAILED = frozenset({"fail", "permerror"})


class Authentication(StrEnum):
    """Whether the mail comes from the domain that it names as its sender's."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """No host that is trusted to tell said anything."""


def authentication_of(headers: Sequence[str], authserv_id: str, sender: str) -> Authentication:
    """Read the results that the owner's host wrote on this sender, the topmost first.

    Hosts put their headers above those that came with the mail, which anybody may have written.
    Without a name of the host only the topmost header counts, and only against the mail.
    """
    domain = sender.rpartition("@")[2].lower()
    for header in headers:
        host, _, results = _plain(header).partition(";")
        if not authserv_id:
            stated = results if "=" not in host else _plain(header)
            is_failed = _verdict(stated, domain) is Authentication.FAILED
            return Authentication.FAILED if is_failed else Authentication.UNKNOWN
        if host.strip().partition(" ")[0].lower() == authserv_id.lower():
            return _verdict(results, domain)
    return Authentication.UNKNOWN


def _plain(header: str) -> str:
    """Return the header without quoted text and comments, which may hold anything."""
    text = _QUOTED.sub('""', header)
    for _ in range(_DEEPEST):
        text = _COMMENT.sub(" ", text)
    return text


def _verdict(results: str, domain: str) -> Authentication:
    found = [
        (stated[1].lower(), stated[2].lower(), clause)
        for clause in results.split(";")
        if (stated := _RESULT.match(clause))
    ]
    of_dmarc = {result for method, result, _ in found if method == "dmarc"}
    if of_dmarc & _FAILED:
        return Authentication.FAILED
    if "pass" in of_dmarc:
        return Authentication.PASSED
    passed = [clause for _, result, clause in found if result == "pass"]
    if any(_names(clause, domain) for clause in passed):
        return Authentication.PASSED
    others = {result for method, result, _ in found if method != "dmarc"}
    is_failed = not passed and bool(others & (_FAILED | {"softfail"}))
    return Authentication.FAILED if is_failed else Authentication.UNKNOWN


def _names(clause: str, domain: str) -> bool:
    """Tell whether the result is about the sender's own domain."""
    named = (found[1].rpartition("@")[2].lower() for found in _DOMAIN.finditer(clause))
    return bool(domain) and domain in named
