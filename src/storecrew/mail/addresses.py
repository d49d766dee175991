"""Addresses as mail servers understand them."""

import re

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST = 254


def mailable(address: str) -> str | None:
    """Return the address as it is handed to a server, its domain in ASCII; None for what is none.

    Quoted local parts and letters beyond ASCII before the @ are no address here: few servers take
    them, and they are how headers are forged.
    """
    local, at, domain = address.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    found = f"{local}@{domain}"
    is_fine = bool(at) and len(local) <= 64 and len(found) <= _LONGEST
    is_fine = is_fine and bool(_LOCAL.fullmatch(local)) and bool(_DOMAIN.fullmatch(domain))
    return found if is_fine else None


def same(address: str) -> str:
    """Return what two spellings of one address have in common."""
    return address.strip().lower()
