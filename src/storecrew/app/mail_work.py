"""Putting mail together: the desk for the doors, the postman and the mailroom for who works."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from storecrew.app.mail_desk import MailDesk
from storecrew.app.mailroom import Mailroom, Publish
from storecrew.app.post import Postman
from storecrew.app.settings import Settings
from storecrew.domain.care import Letter, SuppressAddress
from storecrew.domain.ports import Clock
from storecrew.journal import SqlJournal
from storecrew.journal.notes import SqlNotes
from storecrew.mail.mailbox import ImapMailbox
from storecrew.mail.seals import Seals
from storecrew.mail.smtp import SmtpMailer
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.policy import PolicySettings
from storecrew.policy.rules import is_quiet
from storecrew.stores.sql import SqlStore
from storecrew.stores.sql.post import SqlPost

_SECRET = "mail/secret"  # noqa: S105 - the name it is kept under
_FRESH = 0.25
"""Seconds for which the answer on the emergency stop counts: it has to hold within one."""
_FINISH = 15.0
"""Seconds that letters under way have when the process ends; then they are left unknown."""


async def open_mail_desk(
    settings: Settings, store: SqlStore, journal: SqlJournal, clock: Clock
) -> MailDesk:
    """Return the desk; the secret behind its marks is made once and kept in the journal."""
    notes = SqlNotes(journal.database)
    kept = await notes.find(_SECRET)
    secret = kept or await notes.keep_first(_SECRET, secrets.token_hex(32))
    return MailDesk(
        settings=settings.mail,
        box=SqlPost(store.database, clock),
        store=store,
        clock=clock,
        seals=Seals(bytes.fromhex(secret)),
        link_hosts=settings.policy.link_hosts,
    )


def work_on_mail(
    settings: Settings,
    desk: MailDesk,
    orchestrator: Orchestrator,
    journal: SqlJournal,
    stack: AsyncExitStack,
) -> None:
    """Send what is queued and read what comes until the stack is left, as far as mail is on."""

    def leads() -> bool:
        return orchestrator.leads

    if desk.settings.sends:
        may_send = Permission(leads, journal.paused)
        alone = settings.database.url is None  # files belong to one process
        postman = postman_of(desk, settings.policy, may_send, alone=alone)
        sending = asyncio.create_task(postman.run(), name="postman")
        stack.push_async_callback(_finish, sending, postman)
    if desk.settings.reads:
        mailroom = mailroom_of(desk, SqlNotes(journal.database), orchestrator.publish, leads)
        reading = asyncio.create_task(mailroom.run(), name="mailroom")
        stack.push_async_callback(_cancelled, reading)


def postman_of(
    desk: MailDesk, policy: PolicySettings, may_send: Callable[[], Awaitable[bool]], *, alone: bool
) -> Postman:
    """Return the postman of this desk."""

    async def suppress_bad(letter: Letter, said: str) -> None:
        action = SuppressAddress(address=letter.address.lower(), reason=said[:200])
        key = f"bounce/{letter.message_id}/{letter.attempt}"
        await desk.store.apply(action, key=key, actor="mail server")

    return Postman(
        box=desk.box,
        writer=desk.writer,
        clock=desk.clock,
        mailer=lambda: SmtpMailer(desk.settings.smtp),
        may_send=may_send,
        is_quiet=_quiet(policy),
        no_mailbox=suppress_bad,
        alone=alone,
    )


def mailroom_of(
    desk: MailDesk, notes: SqlNotes, publish: Publish, leads: Callable[[], bool]
) -> Mailroom:
    """Return the mailroom of this desk."""
    return Mailroom(
        inbox=ImapMailbox(desk.settings.imap),
        notes=notes,
        box=desk.box,
        store=desk.store,
        publish=publish,
        seals=desk.seals,
        settings=desk.settings,
        clock=desk.clock,
        is_on_duty=leads,
    )


@dataclass
class Permission:
    """Whether this process is to send letters now: it leads, and nobody pulled the stop."""

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
    zone = ZoneInfo(policy.zone)

    def quiet(now: datetime) -> bool:
        return is_quiet(now.astimezone(zone).time(), policy.quiet_from, policy.quiet_until)

    return quiet


async def _finish(task: "asyncio.Task[None]", postman: Postman) -> None:
    postman.request_stop()
    with suppress(TimeoutError):
        await asyncio.wait_for(task, _FINISH)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
