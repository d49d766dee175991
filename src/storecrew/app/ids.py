"""Identifiers for requests that bring no key of their own."""

import secrets
from datetime import datetime
from uuid import UUID

_RANDOM_A_BITS = 12
_RANDOM_B_BITS = 62


def uuid7(now: datetime) -> UUID:
    """Return a version 7 UUID (RFC 9562): ids made later sort after earlier ones."""
    milliseconds = int(now.timestamp() * 1000)
    random_a = secrets.randbits(_RANDOM_A_BITS)
    random_b = secrets.randbits(_RANDOM_B_BITS)
    value = (milliseconds << 80) | (0x7 << 76) | (random_a << 64) | (0b10 << 62) | random_b
    return UUID(int=value)
