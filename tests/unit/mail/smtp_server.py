"""A real mail server on loopback that misbehaves as told: for some addresses, some of the time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

OK = "250 fine"
DROP = "drop"
"""Hang up once the whole letter is here, without an answer."""


@dataclass
class Server:
    """What came in, and how to answer."""

    port: int = 0
    emails: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    """Recipient and content of each letter that was here in full, also where it was refused."""
    taken: Counter[str] = field(default_factory=Counter[str])
    """Per recipient, letters that were accepted."""
    logins: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    connections: int = 0
    at_rcpt: Callable[[str], str] = lambda _address: OK
    at_data: Callable[[str], str] = lambda _address: OK

    def mails(self) -> list[EmailMessage]:
        """Return the letters, parsed."""
        found = [message_from_bytes(content, policy=default) for _, content in self.emails]
        return [each for each in found if isinstance(each, EmailMessage)]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.at_rcpt(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (address,) = envelope.rcpt_tos
        self.emails.append((address, bytes(envelope.content or b"")))
        answer = self.at_data(address)
        if answer == DROP:
            self.taken[address] += 1  # it may well be delivered
            server.transport.abort()
            await asyncio.sleep(0)
            return OK
        if answer.startswith("250"):
            self.taken[address] += 1
        return answer


@asynccontextmanager
async def serving(**answers: Callable[[str], str]) -> AsyncIterator[Server]:
    """Run the server on a free port until left."""
    known = Server(**answers)

    def protocol() -> SMTP:
        known.connections += 1
        return SMTP(known, loop=asyncio.get_running_loop(), hostname="loopback", timeout=30)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    known.port = server.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        server.close()
        await server.wait_closed()
