"""A store with customers and messages, a sender, and a mail server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from smtp_server import Server, serving

from storecrew.database import DISPOSABLE
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import DeliveryState, SendMessage, SuppressAddress
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.mail.renderer import EmailRenderer
from storecrew.mail.sender import EmailSender
from storecrew.mail.settings import MailSettings, SmtpSettings
from storecrew.mail.smtp import SmtpMailer
from storecrew.mail.token_signer import TokenSigner
from storecrew.stores.sql import SqlStore, open_store
from storecrew.stores.sql.message_queue import SqlMessageQueue

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEALS = TokenSigner(b"a secret of tests")


@dataclass
class SettableClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


def mail_settings(port: int = 25, **more: Any) -> MailSettings:
    smtp = {"host": "127.0.0.1", "port": port, "security": "plain", "rate_per_minute": 0}
    smtp |= more.pop("smtp", {})
    return MailSettings(
        shop="Tea & Co",
        sender="shop@shop.example",
        public_url="https://shop.example",
        smtp=SmtpSettings(**{"timeout": 5, **smtp}),
        **more,
    )


@dataclass
class MailScenario:
    """What a test of sending touches."""

    store: SqlStore
    box: SqlMessageQueue
    clock: SettableClock
    server: Server
    settings: MailSettings
    may: bool = True
    sent: int = 0

    async def add_customers(self, count: int, **more: Any) -> list[str]:
        """Add customers `c0001`, … who agree to marketing."""
        known = [
            Customer(
                id=f"c{n:04d}",
                name=f"Customer {n}",
                email=f"c{n:04d}@customer.example",
                **{"marketing_consent": True, **more},
            )
            for n in range(1, count + 1)
        ]
        await self.store.put_customers(known)
        return [each.id for each in known]

    async def queue(self, customer: str, **more: Any) -> int:
        """Queue one message and return its number."""
        words = {"purpose": "service", "title": "Hello", "body": "It is on its way.", **more}
        self.sent += 1
        action = SendMessage(customer=customer, **words)
        outcome = await self.store.apply(action, key=f"m{self.sent}")
        assert outcome.applied, outcome
        return int(outcome.detail["message_id"])

    async def campaign(self, recipients: list[str], name: str = "spring") -> Outcome:
        """Start a campaign."""
        action = StartCampaign(
            name=name,
            segment="all",
            title="Spring tea",
            body="The new harvest is here.",
            recipients=tuple(recipients),
            ends_at=self.clock.at + timedelta(days=14),
        )
        self.sent += 1
        return await self.store.apply(action, key=f"campaign/{name}/{self.sent}")

    def sender(self, **more: Any) -> EmailSender:
        """Return a sender that sends at once."""

        async def may_send() -> bool:
            return self.may

        async def suppress(email: Any, said: str) -> None:
            action = SuppressAddress(address=email.address, reason=said)
            await self.store.apply(action, key=f"bounce/{email.message_id}")

        parts = {
            "box": self.box,
            "writer": EmailRenderer(self.settings, SEALS),
            "clock": self.clock,
            "mailer": lambda: SmtpMailer(self.settings.smtp),
            "may_send": may_send,
            "no_mailbox": suppress,
        }
        return EmailSender(**{**parts, **more})

    async def send_all(self, sender: EmailSender | None = None) -> None:
        """Send until nothing is due."""
        own = sender or self.sender()
        while await own.round():
            pass
        own.request_stop()
        await own.run()

    async def state(self, message_id: int) -> DeliveryState:
        return (await self.box.message(message_id)).state


@asynccontextmanager
async def mail_scenario(
    settings: Callable[[int], MailSettings] = mail_settings, **answers: Callable[[str], str]
) -> AsyncIterator[MailScenario]:
    """Open a shop and a mail server."""
    clock = SettableClock()
    async with serving(**answers) as server:
        store = await open_store(
            "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
        )
        box = SqlMessageQueue(store.database, clock)
        yield MailScenario(store, box, clock, server, settings(server.port))
        await store.close()
