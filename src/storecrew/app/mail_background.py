"""Background work of mail: the sender and the inbound processor of the worker that leads."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from storecrew.app.background import run_until_left
from storecrew.app.secret_box import SecretBox, is_encrypted
from storecrew.app.settings import Settings
from storecrew.database import Database
from storecrew.domain.background_tasks import BackgroundTasks
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import IncidentRepository
from storecrew.domain.shop.messages import OutgoingEmail, SuppressAddress
from storecrew.domain.zones import zone_of
from storecrew.journal import SqlJournal
from storecrew.journal.incidents import SqlIncidentRepository
from storecrew.journal.key_values import SqlKeyValues
from storecrew.journal.skipped_inputs import SqlSkippedInputs
from storecrew.mail.inbound import InboundProcessor, Publish
from storecrew.mail.mailbox import ImapMailbox
from storecrew.mail.sender import EmailSender
from storecrew.mail.service import MailService
from storecrew.mail.smtp import SmtpMailer
from storecrew.mail.token_signer import TokenSigner
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.policy import PolicySettings
from storecrew.policy.rules.messages import is_quiet
from storecrew.stores.sql import SqlStore
from storecrew.stores.sql.message_queue import SqlMessageQueue

_SECRET = "mail/secret"  # noqa: S105 - the name it is kept under
_FRESH = 0.25
"""Seconds for which the answer on the emergency stop counts: it has to hold within one."""


async def open_mail_service(
    settings: Settings, store: SqlStore, journal: SqlJournal, clock: Clock
) -> MailService:
    """Return the mail service; its signing secret is generated once and stored in the journal."""
    notes, box = SqlKeyValues(journal.database), SecretBox.of(settings)
    kept = await notes.find(_SECRET)
    kept = kept or await notes.keep_first(_SECRET, box.encrypt(secrets.token_hex(32)))
    secret = box.decrypt(kept)
    if not is_encrypted(kept):
        await notes.keep(_SECRET, box.encrypt(secret))
    return MailService(
        settings=settings.mail,
        box=SqlMessageQueue(store.database, clock),
        store=store,
        clock=clock,
        seals=TokenSigner(bytes.fromhex(secret)),
        skipped=SqlSkippedInputs(journal.database),
        link_hosts=settings.policy.link_hosts,
    )


def work_on_mail(
    settings: Settings,
    service: MailService,
    orchestrator: Orchestrator,
    journal: SqlJournal,
    background: BackgroundTasks,
    stack: AsyncExitStack,
) -> None:
    """Send what is queued and read what comes until the stack is left, as far as mail is on."""

    def leads() -> bool:
        return orchestrator.is_leader

    if service.settings.sends:
        may_send = SendGate(leads, journal.paused)
        alone = settings.database.url is None  # files belong to one process
        incidents = SqlIncidentRepository(journal.database)
        sender = email_sender_of(service, settings.policy, may_send, incidents, alone=alone)
        run_until_left(background, "postman", sender.run, sender.request_stop, stack)
    if service.settings.reads:
        processor = inbound_processor_of(service, journal.database, orchestrator.publish, leads)
        background.start("mailroom", processor.run)


def email_sender_of(
    service: MailService,
    policy: PolicySettings,
    may_send: Callable[[], Awaitable[bool]],
    incidents: IncidentRepository | None = None,
    *,
    alone: bool,
) -> EmailSender:
    """Return the e-mail sender of this mail service."""

    async def suppress_bad(letter: OutgoingEmail, said: str) -> None:
        action = SuppressAddress(address=letter.address.lower(), reason=said[:200])
        key = f"bounce/{letter.message_id}/{letter.attempt}"
        await service.store.apply(action, key=key, actor="mail server")

    return EmailSender(
        box=service.box,
        writer=service.writer,
        clock=service.clock,
        mailer=lambda: SmtpMailer(service.settings.smtp),
        may_send=may_send,
        is_quiet=_quiet(policy),
        no_mailbox=suppress_bad,
        incidents=incidents,
        alone=alone,
    )


def inbound_processor_of(
    service: MailService, database: Database, publish: Publish, leads: Callable[[], bool]
) -> InboundProcessor:
    """Return the inbound processor of this mail service."""
    return InboundProcessor(
        inbox=ImapMailbox(service.settings.imap),
        notes=SqlKeyValues(database),
        skipped=SqlSkippedInputs(database),
        incidents=SqlIncidentRepository(database),
        box=service.box,
        store=service.store,
        publish=publish,
        seals=service.seals,
        settings=service.settings,
        clock=service.clock,
        is_on_duty=leads,
    )


@dataclass
class SendGate:
    """Whether this process may send e-mail now: it leads, and the crew is not paused."""

    leads: Callable[[], bool]
    paused: Callable[[], Awaitable[bool]]
    _answer: bool = False
    _asked_at: float = float("-inf")

    async def __call__(self) -> bool:
        """Ask the journal, at most a few times a second."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at >= _FRESH:
            self._answer, self._asked_at = not await self.paused(), now
        return self._answer and self.leads()


def _quiet(policy: PolicySettings) -> Callable[[datetime], bool]:
    zone = zone_of(policy.zone)

    def quiet(now: datetime) -> bool:
        return is_quiet(now.astimezone(zone).time(), policy.quiet_from, policy.quiet_until)

    return quiet
