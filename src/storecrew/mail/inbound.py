"""Sorts incoming mail into orders, tickets, opt-outs and suppressed addresses."""

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from storecrew.domain.actions import Action
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import InvalidInput, KeyReused, NotFound, StorecrewError
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.messages import MessageQueue
from storecrew.domain.ports.repositories import KeyValues
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import ProductIndex
from storecrew.domain.shop.customers import SetConsent
from storecrew.domain.shop.messages import MESSAGE_ID, MailReceived, QueuedMessage, SuppressAddress
from storecrew.domain.shop.orders import parse_order
from storecrew.domain.shop.support import OpenTicket
from storecrew.mail.bounces import BounceKind, BounceReport
from storecrew.mail.mailbox import FetchResult, ImapCursor
from storecrew.mail.parsing import ReceivedEmail
from storecrew.mail.settings import MailSettings
from storecrew.mail.token_signer import TokenSigner

SOURCE = "mailbox"
_PLACE = "mailbox/{host}/{user}/{folder}"
_MAX_QUESTION = 15_000
_UNSUBSCRIBE = re.compile(r"^\s*unsubscribe\s+([\w.-]{10,1000})\s*$", re.IGNORECASE)
_TICKET = re.compile(r"^ticket:(.+):\d+$")
_ORDER = re.compile(r"^order:(\d+):")
_LONGEST_ORDER = 5_000
_log = structlog.get_logger(__name__)


class MailSource(Protocol):
    """A mailbox that is looked into; blocks."""

    def fetch(self, after: ImapCursor | None, now: datetime, *, limit: int = 50) -> FetchResult:
        """Return mails that came since then, and the place to go on at."""
        ...


Publish = Callable[[Sequence[EventEnvelope]], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class InboundProcessor:
    """Reads the mailbox and records each mail at least once under a key that counts it once.

    The place in the mailbox is moved only after everything before it is recorded.
    """

    inbox: MailSource
    notes: KeyValues
    box: MessageQueue
    store: Store
    publish: Publish
    seals: TokenSigner
    settings: MailSettings
    clock: Clock
    is_on_duty: Callable[[], bool] = lambda: True

    async def run(self) -> None:
        """Look every now and then until cancelled."""
        while True:
            more = False
            try:
                more = self.is_on_duty() and await self.round()
            except StorecrewError as error:  # the next look begins at the same place
                _log.warning("mailbox_not_read", error=str(error))
            except Exception:  # noqa: BLE001 - the boundary of the mailroom: the next look tries again
                _log.exception("mailbox_not_read")
            await asyncio.sleep(0 if more else self.settings.imap.poll_seconds)

    async def round(self) -> bool:
        """Record what came since the last look; return whether more waits."""
        now, name = self.clock.now(), self._name
        place = _read_place(await self.notes.find(name))
        fetched = await asyncio.to_thread(self.inbox.fetch, place, now)
        for mail in fetched.mails:
            await self._take(mail)
        if fetched.mails or place is None or fetched.cursor.validity != place.validity:
            await self.notes.keep(name, _write_place(fetched.cursor))
        return fetched.more

    @property
    def _name(self) -> str:
        own = self.settings.imap
        return _PLACE.format(host=own.host, user=own.username, folder=own.folder)

    async def _take(self, mail: ReceivedEmail) -> None:
        """Record one mail; one that cannot be recorded at all is told of and passed by."""
        try:
            await self._sort(mail)
        except (InvalidInput, KeyReused, NotFound) as error:
            _log.warning("mail_passed_by", message_id=mail.message_id, error=str(error))

    async def _sort(self, mail: ReceivedEmail) -> None:
        own = {self.settings.sender.lower(), self.settings.reply_to.lower()}
        if mail.bounce is not None:
            await self._heed(mail, mail.bounce)
        elif mail.sender in own or not (mail.text or mail.subject):
            return
        elif found := _UNSUBSCRIBE.match(mail.subject):
            await self._opt_out(mail, found[1])
        else:
            await self._hear(mail, await self.box.find_customer_by_email(mail.sender))

    async def _heed(self, mail: ReceivedEmail, notice: BounceReport) -> None:
        """Act on what a program reports, if it is about a letter that is provably ours."""
        number = self.seals.number_in(notice.about)
        if number is None:
            return
        if notice.kind is BounceKind.COMPLAINT:
            message = await self.box.message(number)
            await self._suppress(mail, message.address, "its owner called our mail spam")
        elif notice.kind is BounceKind.RETURNED:
            await self.box.bounced(number, notice.reason)
        elif notice.kind is BounceKind.MAILBOX_NOT_FOUND:
            address = await self.box.bounced(number, notice.reason)
            await self._suppress(mail, address or "", notice.reason or "its mail comes back")

    async def _suppress(self, mail: ReceivedEmail, address: str, reason: str) -> None:
        if address:
            await self._do(mail, SuppressAddress(address=address.lower(), reason=reason))

    async def _opt_out(self, mail: ReceivedEmail, token: str) -> None:
        customer = self.seals.customer_of(token)
        if customer is not None:
            await self._do(mail, SetConsent(customer=customer, marketing=False))

    async def _hear(self, mail: ReceivedEmail, customer: str | None) -> None:
        """Take an order of a known customer as one, and anything else as a question."""
        about = await self._about(mail)
        if customer is not None and about is None and await self._is_order(mail.text):
            event = MailReceived(mail=mail.text.strip(), customer=customer)
            await self._tell(mail, event)
            return
        outcome = await self._do(mail, _ticket(mail, customer, about))
        if not outcome.applied and about is not None:  # the ticket is another customer's
            await self._do(mail, _ticket(mail, customer, None), "/new")

    async def _tell(self, mail: ReceivedEmail, event: MailReceived) -> None:
        published = EventEnvelope(
            source=SOURCE,
            external_id=mail.message_id,
            event=event,
            at=self.clock.now(),
            actor=f"customer:{event.customer}",
        )
        await self.publish([published])

    async def _about(self, mail: ReceivedEmail) -> QueuedMessage | None:
        """Return the message of ours that the mail answers."""
        number = self.seals.number_in(mail.refers_to)
        if number is None:
            return None
        try:
            return await self.box.message(number)
        except NotFound:
            return None

    async def _is_order(self, text: str) -> bool:
        """Tell whether the whole text is an order of products that we have."""
        if len(text) > _LONGEST_ORDER:
            return False
        try:
            lines = parse_order(text.strip())
            ProductIndex(await self.store.products()).find_all(lines)
        except InvalidInput:
            return False
        return True

    async def _do(self, mail: ReceivedEmail, action: Action, part: str = "") -> Outcome:
        key = f"mail/{mail.message_id}{part}"
        return await self.store.apply(action, key=key, actor=SOURCE)


def _ticket(mail: ReceivedEmail, customer: str | None, about: QueuedMessage | None) -> OpenTicket:
    """Return the question that a mail asks, as part of the conversation that it answers."""
    digest = hashlib.sha256(mail.message_id.encode()).hexdigest()[:16]
    ticket_id, order_id = f"mail-{digest}", None
    if about is not None and customer == about.customer:
        if found := _TICKET.match(about.topic):
            ticket_id = found[1]
        elif found := _ORDER.match(about.topic):
            order_id = int(found[1])
    subject = "" if about is not None else mail.subject
    text = "\n\n".join(part for part in (subject, mail.text) if part)
    return OpenTicket(
        ticket_id=ticket_id,
        text=text[:_MAX_QUESTION],
        customer=customer,
        order_id=order_id,
        channel="mail",
        reference=mail.message_id if MESSAGE_ID.fullmatch(mail.message_id) else "",
    )


def _write_place(place: ImapCursor) -> str:
    return json.dumps({"validity": place.validity, "uid": place.uid, "at": place.at.isoformat()})


def _read_place(kept: str | None) -> ImapCursor | None:
    if kept is None:
        return None
    try:
        found = json.loads(kept)
        at = datetime.fromisoformat(found["at"])
        return ImapCursor(validity=int(found["validity"]), uid=int(found["uid"]), at=at)
    except (ValueError, KeyError, TypeError):
        return None
