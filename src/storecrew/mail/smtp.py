"""Handing letters to a mail server, and saying exactly what it made of each."""

import asyncio
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import aiosmtplib as smtp

from storecrew.mail.refusals import names_mailbox
from storecrew.mail.settings import SmtpSettings


class SmtpResult(StrEnum):
    """What became of one letter at the server."""

    ACCEPTED = "taken"
    MAILBOX_NOT_FOUND = "no mailbox"
    """Refused for good: there is no such address."""
    REFUSED = "refused"
    """Refused for good, for another reason than its address."""
    DEFERRED = "put off"
    """Not taken now; the server said so."""
    UNREACHABLE = "not reached"
    """The server was not reached, or wants nothing from us: no fault of this letter."""
    UNKNOWN = "unknown"
    """The letter was on its way when the connection ended: it may have been taken."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A letter as the server gets it."""

    sender: str
    recipient: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class SmtpResponse:
    """What the server said."""

    result: SmtpResult
    detail: str = ""


class Mailer(Protocol):
    """Hands letters over, one after the other."""

    async def send(self, envelope: Envelope) -> SmtpResponse:
        """Hand the letter over once and say what became of it. Never raises for a bad server.

        Only `UNKNOWN` leaves in doubt whether the letter was taken.
        """
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


_LETTERS = 100
"""Letters over one connection: many servers hang up soon after."""
_LONGEST = 300
"""Characters of an answer that are kept."""
_NO_MAILBOX = (550, 551, 553)


@dataclass
class SmtpMailer:
    """Implements `Mailer` over SMTP; keeps its connection open between letters."""

    settings: SmtpSettings
    _client: smtp.SMTP | None = None
    _sent: int = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, envelope: Envelope) -> SmtpResponse:
        """Hand the letter over once and say what became of it."""
        async with self._lock:
            is_fresh = self._client is None
            answer = await self._attempt(envelope)
            if answer.result is SmtpResult.UNREACHABLE and not is_fresh:
                answer = await self._attempt(envelope)  # the server had hung up meanwhile
            return answer

    async def close(self) -> None:
        """Hang up; a server that does not answer is left."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await client.quit(timeout=2)
        except (smtp.SMTPException, OSError):
            client.close()

    async def _attempt(self, envelope: Envelope) -> SmtpResponse:
        try:
            client = await self._connected()
            await client.mail(envelope.sender)
        except (smtp.SMTPException, OSError, ssl.SSLError, ValueError) as error:
            self._hang_up()
            return _said(SmtpResult.UNREACHABLE, error)
        try:
            await client.rcpt(envelope.recipient)
        except smtp.SMTPResponseException as error:
            await self._reset(client, error.code)
            return _said(_refusal(error, is_address=True), error)
        except (smtp.SMTPException, OSError) as error:
            self._hang_up()
            return _said(SmtpResult.UNREACHABLE, error)
        return await self._hand_over(client, envelope.content)

    async def _hand_over(self, client: smtp.SMTP, content: bytes) -> SmtpResponse:
        """Send the letter itself: from here on a lost connection leaves it in doubt."""
        try:
            response = await client.data(content)
        except smtp.SMTPDataError as error:
            await self._reset(client, error.code)
            return _said(_refusal(error, is_address=False), error)
        except (smtp.SMTPException, OSError) as error:
            self._hang_up()
            return _said(SmtpResult.UNKNOWN, error)
        except BaseException:  # cancelled: the next letter must not run into this one
            self._hang_up()
            raise
        self._sent += 1
        return SmtpResponse(result=SmtpResult.ACCEPTED, detail=response.message[:_LONGEST])

    async def _connected(self) -> smtp.SMTP:
        if self._client is not None and self._client.is_connected and self._sent < _LETTERS:
            return self._client
        await self.close()
        own = self.settings
        client = smtp.SMTP(
            hostname=own.host,
            port=own.port,
            username=own.username or None,
            password=own.password.get_secret_value() if own.password else None,
            timeout=own.timeout,
            use_tls=own.security == "tls",
            start_tls=own.security == "starttls",
        )
        await client.connect()
        self._client, self._sent = client, 0
        return client

    async def _reset(self, client: smtp.SMTP, code: int) -> None:
        """Make the connection ready for the next letter after a refusal."""
        try:
            if code == _CLOSING:
                raise smtp.SMTPServerDisconnected("the server is closing")
            await client.rset()
        except (smtp.SMTPException, OSError):
            self._hang_up()

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


_CLOSING = 421


def _refusal(error: smtp.SMTPResponseException, *, is_address: bool) -> SmtpResult:
    if error.code < 500:
        return SmtpResult.DEFERRED
    if is_address and error.code in _NO_MAILBOX and names_mailbox(error.message):
        return SmtpResult.MAILBOX_NOT_FOUND
    return SmtpResult.REFUSED


def _said(handed: SmtpResult, error: BaseException) -> SmtpResponse:
    code = getattr(error, "code", "")
    text = " ".join(str(getattr(error, "message", "") or error).split())
    if error.__cause__ is not None and str(error.__cause__) not in text:
        text = f"{text} {error.__cause__}"
    detail = f"{code} {text}".strip() or type(error).__name__
    return SmtpResponse(result=handed, detail=detail[:_LONGEST])
