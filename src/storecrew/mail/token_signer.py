"""Signs message ids and unsubscribe links, so that they cannot be forged."""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

_MARK = 20
"""Hexadecimal digits of a mark: 80 bits, too many to guess."""
_MESSAGE_ID = re.compile(r"<m(\d{1,18})\.([0-9a-f]{20})@[A-Za-z0-9.-]{1,253}>")
_LONGEST = 1_000


@dataclass(frozen=True)
class TokenSigner:
    """Makes and checks marks with one secret; a mark for one use is none for another."""

    secret: bytes

    def message_id(self, number: int, domain: str) -> str:
        """Return the Message-ID of a letter: the same whenever it is composed."""
        return f"<m{number}.{self._mark('message', str(number))}@{domain}>"

    def number_in(self, text: str) -> int | None:
        """Return the number of the first of our letters that the text names; None for none.

        What others made up does not count, so a forged report can condemn no address.
        """
        for number, mark in _MESSAGE_ID.findall(text):
            if hmac.compare_digest(mark, self._mark("message", str(int(number)))):
                return int(number)
        return None

    def unsubscribe_token(self, customer: str) -> str:
        """Return the token that unsubscribes this customer, for ever."""
        named = base64.urlsafe_b64encode(customer.encode()).decode().rstrip("=")
        return f"{named}.{self._mark('unsubscribe', customer)}"

    def customer_of(self, token: str) -> str | None:
        """Return whom the token unsubscribes; None where it is not one of ours."""
        named, _, mark = token.partition(".")
        if len(token) > _LONGEST or not token.isascii():
            return None
        try:
            raw = base64.b64decode(named + "=" * (-len(named) % 4), altchars=b"-_", validate=True)
            customer = raw.decode()
        except (binascii.Error, ValueError):
            return None
        expected = self._mark("unsubscribe", customer)
        return customer if hmac.compare_digest(mark, expected) else None

    def _mark(self, use: str, what: str) -> str:
        key = hmac.new(self.secret, use.encode(), hashlib.sha256).digest()
        return hmac.new(key, what.encode(), hashlib.sha256).hexdigest()[:_MARK]
