"""The mailroom: what comes by mail becomes orders, tickets, opt-outs and suppressed addresses."""

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
from storecrew.domain.care import (
    MESSAGE_ID,
    OpenTicket,
    PostBox,
    QueuedMessage,
    SetConsent,
    SuppressAddress,
)
from storecrew.domain.catalogue import Names
from storecrew.domain.errors import InvalidInput, KeyReused, NotFound, StorecrewError
from storecrew.domain.events import MailReceived, Published
from storecrew.domain.orders import parse_order
from storecrew.domain.ports import Clock, Notes, Store
from storecrew.domain.proposals import Outcome
from storecrew.mail.bounces import Notice, NoticeKind
from storecrew.mail.mailbox import Look, Place
from storecrew.mail.reading import Received
from storecrew.mail.seals import Seals
from storecrew.mail.settings import MailSettings

SOURCE = "mailbox"
_PLACE = "mailbox/{host}/{user}/{folder}"
_MAX_QUESTION = 15_000
_UNSUBSCRIBE = re.compile(r"^\s*unsubscribe\s+([\w.-]{10,1000})\s*$", re.IGNORECASE)
_TICKET = re.compile(r"^ticket:(.+):\d+$")
_ORDER = re.compile(r"^order:(\d+):")
_LONGEST_ORDER = 5_000
_log = structlog.get_logger(__name__)


class Inbox(Protocol):
    """A mailbox that is looked into; blocks."""

    def look(self, after: Place | None, now: datetime, *, limit: int = 50) -> Look:
        """Return mails that came since then, and the place to go on at."""
        ...


Publish = Callable[[Sequence[Published]], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Mailroom:
    """Reads the mailbox and records each mail at least once under a key that counts it once.

    The place in the mailbox is moved only after everything before it is recorded.
    """

    inbox: Inbox
    notes: Notes
    box: PostBox
    store: Store
    publish: Publish
    seals: Seals
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
        look = await asyncio.to_thread(self.inbox.look, place, now)
        for mail in look.mails:
            await self._take(mail)
        if look.mails or place is None or look.place.validity != place.validity:
            await self.notes.keep(name, _write_place(look.place))
        return look.more

    @property
    def _name(self) -> str:
        own = self.settings.imap
        return _PLACE.format(host=own.host, user=own.username, folder=own.folder)

    async def _take(self, mail: Received) -> None:
        """Record one mail; one that cannot be recorded at all is told of and passed by."""
        try:
            await self._sort(mail)
        except (InvalidInput, KeyReused, NotFound) as error:
            _log.warning("mail_passed_by", message_id=mail.message_id, error=str(error))

    async def _sort(self, mail: Received) -> None:
        own = {self.settings.sender.lower(), self.settings.reply_to.lower()}
        if mail.notice is not None:
            await self._heed(mail, mail.notice)
        elif mail.sender in own or not (mail.text or mail.subject):
            return
        elif found := _UNSUBSCRIBE.match(mail.subject):
            await self._opt_out(mail, found[1])
        else:
            await self._hear(mail, await self.box.customer_at(mail.sender))

    async def _heed(self, mail: Received, notice: Notice) -> None:
        """Act on what a program reports, if it is about a letter that is provably ours."""
        number = self.seals.number_in(notice.about)
        if number is None:
            return
        if notice.kind is NoticeKind.COMPLAINT:
            message = await self.box.message(number)
            await self._suppress(mail, message.address, "its owner called our mail spam")
        elif notice.kind is NoticeKind.RETURNED:
            await self.box.bounced(number, notice.reason)
        elif notice.kind is NoticeKind.NO_MAILBOX:
            address = await self.box.bounced(number, notice.reason)
            await self._suppress(mail, address or "", notice.reason or "its mail comes back")

    async def _suppress(self, mail: Received, address: str, reason: str) -> None:
        if address:
            await self._do(mail, SuppressAddress(address=address.lower(), reason=reason))

    async def _opt_out(self, mail: Received, token: str) -> None:
        customer = self.seals.customer_of(token)
        if customer is not None:
            await self._do(mail, SetConsent(customer=customer, marketing=False))

    async def _hear(self, mail: Received, customer: str | None) -> None:
        """Take an order of a known customer as one, and anything else as a question."""
        about = await self._about(mail)
        if customer is not None and about is None and await self._is_order(mail.text):
            event = MailReceived(mail=mail.text.strip(), customer=customer)
            await self._tell(mail, event)
            return
        outcome = await self._do(mail, _ticket(mail, customer, about))
        if not outcome.applied and about is not None:  # the ticket is another customer's
            await self._do(mail, _ticket(mail, customer, None), "/new")

    async def _tell(self, mail: Received, event: MailReceived) -> None:
        published = Published(
            source=SOURCE,
            external_id=mail.message_id,
            event=event,
            at=self.clock.now(),
            actor=f"customer:{event.customer}",
        )
        await self.publish([published])

    async def _about(self, mail: Received) -> QueuedMessage | None:
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
            wanted = parse_order(text.strip())
            Names(await self.store.products()).find_all(wanted)
        except InvalidInput:
            return False
        return True

    async def _do(self, mail: Received, action: Action, part: str = "") -> Outcome:
        key = f"mail/{mail.message_id}{part}"
        return await self.store.apply(action, key=key, actor=SOURCE)


def _ticket(mail: Received, customer: str | None, about: QueuedMessage | None) -> OpenTicket:
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


def _write_place(place: Place) -> str:
    return json.dumps({"validity": place.validity, "uid": place.uid, "at": place.at.isoformat()})


def _read_place(kept: str | None) -> Place | None:
    if kept is None:
        return None
    try:
        found = json.loads(kept)
        at = datetime.fromisoformat(found["at"])
        return Place(validity=int(found["validity"]), uid=int(found["uid"]), at=at)
    except (ValueError, KeyError, TypeError):
        return None
