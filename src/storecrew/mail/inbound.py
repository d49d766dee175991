"""Sorts incoming mail into orders, tickets, opt-outs and suppressed addresses."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from storecrew.domain.actions import Action
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.incidents import IncidentKind, OpenIncident
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import (
    InvalidInput,
    KeyReused,
    NotFound,
    Retryable,
    StorecrewError,
)
from storecrew.domain.input_text import one_line
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.messages import MessageQueue
from storecrew.domain.ports.repositories import (
    IncidentRepository,
    KeyValues,
    SkippedInputRepository,
)
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import ProductIndex
from storecrew.domain.shop.customers import SetConsent
from storecrew.domain.shop.messages import MESSAGE_ID, MailReceived, QueuedMessage, SuppressAddress
from storecrew.domain.shop.support import OpenTicket
from storecrew.mail.authentication import Authentication
from storecrew.mail.bounces import BounceKind, BounceReport
from storecrew.mail.mailbox import FetchedEmail, FetchResult, ImapCursor
from storecrew.mail.order_text import find_order
from storecrew.mail.parsing import ReceivedEmail, parse_email
from storecrew.mail.settings import MailSettings
from storecrew.mail.token_signer import TokenSigner

SOURCE = "mailbox"
SKIPPED = "mail"
"""What mails that are passed by are counted under."""
_PLACE = "mailbox/{host}/{user}/{folder}"
_MAX_QUESTION = 15_000
_PREFIX = r"^\s*(?:(?:re|aw|fwd?|wg|\[[^\]]{1,40}\])\s*:?\s*){0,5}"
_UNSUBSCRIBE = re.compile(_PREFIX + r"unsubscribe:?\s+<?([\w.-]{10,1000})>?\s*$", re.IGNORECASE)
_OPT_OUT = re.compile(
    _PREFIX
    + r"(?:please\s+)?(?:unsubscribe(?:\s+me)?|opt[ -]?out|stop|remove me|no more e?-?mails?"
    r"|abmelden|abbestellen|newsletter abbestellen|austragen|d[ée]sabonner|me d[ée]sabonner"
    r"|d[ée]sinscription|d[ée]sinscrire)(?:\s+please|\s+bitte)?[.!]*\s*$",
    re.IGNORECASE,
)
"""A subject or a whole text that says nothing but that its writer wants no more marketing."""
_TICKET = re.compile(r"^ticket:(.+):\d+$")
_ORDER = re.compile(r"^order:(\d+):")
_MAX_TRIES = 3
"""Looks in which a mail is tried before the ones behind it matter more."""
_MAX_FAILED_LOOKS = 5
"""Looks that fail in a row before a person should know."""
_MAILBOX_INCIDENT = "mail/mailbox"
_UNREADABLE_INCIDENT = "mail/unreadable"
_FORGED = "[The mail host found that this mail does not come from the address that it names.]"
_log = structlog.get_logger(__name__)


class MailNotGiven(Retryable):
    """The mail server does not give one mail."""

    def __init__(self, uid: int, problem: str) -> None:
        self.uid, self.problem = uid, problem
        super().__init__(f"mail {uid} of the folder: {problem}")


class MailSource(Protocol):
    """A mailbox that is looked into; blocks."""

    def fetch(self, after: ImapCursor | None, now: datetime, *, limit: int = 50) -> FetchResult:
        """Return mails that came since then, and the place to go on at."""
        ...


Publish = Callable[[Sequence[EventEnvelope]], Awaitable[object]]


@dataclass(kw_only=True)
class InboundProcessor:
    """Reads the mailbox and records each mail at least once under a key that counts it once.

    The place in the mailbox is moved past a mail when it is recorded, or when it was tried
    `_MAX_TRIES` times in vain: then it is counted, and an incident is opened.
    """

    inbox: MailSource
    notes: KeyValues
    box: MessageQueue
    store: Store
    publish: Publish
    seals: TokenSigner
    settings: MailSettings
    clock: Clock
    skipped: SkippedInputRepository
    incidents: IncidentRepository
    is_on_duty: Callable[[], bool] = lambda: True
    _failed_looks: int = field(default=0, init=False)
    """Looks that failed in a row."""
    _is_resolved: bool = field(default=False, init=False)
    """Whether no incident of the mailbox is open, as far as this process knows."""
    _tries: dict[int, int] = field(default_factory=dict[int, int], init=False)
    """How often the mail that stands next could not be taken, by its number."""

    async def run(self) -> None:
        """Look every now and then until cancelled."""
        while True:
            more = await self.look()
            await asyncio.sleep(0 if more else self.settings.imap.poll_seconds)

    async def look(self) -> bool:
        """Look once, and outlive whatever goes wrong with it; return whether more waits."""
        try:
            more = self.is_on_duty() and await self.round()
            if not self._is_resolved:
                await self._resolve(_MAILBOX_INCIDENT, "the mailbox is read again")
            self._failed_looks, self._is_resolved = 0, True
        except Exception as error:  # noqa: BLE001 - the boundary of the task: the next look tries again
            _log.warning("mailbox_not_read", error=str(error), exc_info=_is_unexpected(error))
            await self._count_failed_look(error)
            return False
        return more

    async def round(self) -> bool:
        """Record what came since the last look; return whether more waits."""
        now, name = self.clock.now(), self._name
        place = _read_place(await self.notes.find(name))
        fetched = await asyncio.to_thread(self.inbox.fetch, place, now)
        if place is None or fetched.cursor.validity != place.validity:
            self._tries.clear()
        for mail in fetched.mails:
            try:
                await self._take(mail)
            except Exception as error:
                if not await self._is_given_up(mail, error):
                    raise
            self._tries.pop(mail.uid, None)
            await self.notes.keep(name, _write_place(replace(fetched.cursor, uid=mail.uid)))
        if fetched.mails or place is None or fetched.cursor.validity != place.validity:
            await self.notes.keep(name, _write_place(fetched.cursor))
        return fetched.more

    @property
    def _name(self) -> str:
        own = self.settings.imap
        return _PLACE.format(host=own.host, user=own.username, folder=own.folder)

    async def _is_given_up(self, mail: FetchedEmail, error: Exception) -> bool:
        """Count a failed try; tell whether the mail is passed by so that the next is read."""
        tries = self._tries[mail.uid] = self._tries.get(mail.uid, 0) + 1
        _log.warning("mail_not_taken", uid=mail.uid, error=str(error), tries=tries)
        is_ours = isinstance(error, Retryable) and not isinstance(error, MailNotGiven)
        if tries < _MAX_TRIES or is_ours:  # a database that is away is no fault of the mail
            return False
        reason = mail.problem or f"it cannot be recorded: {type(error).__name__}"
        await self._skip(reason, f"mail {mail.uid} of the folder: {error}")
        await self._report_unreadable(f"mail {mail.uid} of the folder", str(error))
        return True

    async def _report_unreadable(self, which: str, problem: str) -> None:
        await self._report(
            _UNREADABLE_INCIDENT,
            "a mail cannot be read and was passed by",
            f"{one_line(which)}: {one_line(problem)}",
            "every mail becomes an order or a ticket",
        )

    async def _count_failed_look(self, error: Exception) -> None:
        self._failed_looks += 1
        if self._failed_looks == _MAX_FAILED_LOOKS:
            self._is_resolved = False
            what = f"{self._failed_looks} looks in a row failed; the last: {one_line(str(error))}"
            await self._report(
                _MAILBOX_INCIDENT, "the mailbox is not read", what, "each look reads the mailbox"
            )

    async def _report(self, name: str, title: str, observed: str, expected: str) -> None:
        action = OpenIncident(
            incident=name,
            title=title,
            cause="",
            observed=observed,
            expected=expected,
            kind=IncidentKind.INPUT,
        )
        try:
            await self.incidents.report_incident(action, now=self.clock.now())
        except StorecrewError as error:
            _log.warning("incident_not_reported", incident=name, error=str(error))

    async def _resolve(self, name: str, reason: str) -> None:
        await self.incidents.resolve_incident(name, reason=reason, now=self.clock.now())

    async def _skip(self, reason: str, sample: str) -> None:
        _log.info("mail_passed_by", reason=reason, sample=one_line(sample))
        await self.skipped.record(SKIPPED, reason, sample, self.clock.now())

    async def _skip_mail(self, mail: ReceivedEmail, reason: str) -> None:
        await self._skip(reason, f"{mail.sender or 'no sender'}: {mail.subject or mail.text[:80]}")

    async def _take(self, fetched: FetchedEmail) -> None:
        """Record one mail; one that cannot be recorded at all is counted and passed by."""
        if fetched.problem:
            raise MailNotGiven(fetched.uid, fetched.problem)
        mail = await asyncio.to_thread(parse_email, fetched.content, self.settings.authserv_id)
        if mail.problem:
            await self._report_unreadable(f"mail {fetched.uid} of the folder", mail.problem)
        try:
            await self._sort(mail)
        except (InvalidInput, KeyReused, NotFound) as error:
            await self._skip_mail(mail, f"it was refused: {one_line(str(error))}")

    async def _sort(self, mail: ReceivedEmail) -> None:
        """Find out what a mail is; an opt-out counts first, whatever else the mail is."""
        if await self._is_opt_out(mail):
            return
        is_own = mail.sender in self._own_addresses
        if is_own and mail.reply_to not in self._own_addresses:  # a form on the shop's own site
            await self._ask(mail, _ticket(mail, None, None))
        elif mail.bounce is not None and not await self._is_for_us(mail):
            await self._heed(mail, mail.bounce)
        elif is_own:
            await self._skip_mail(mail, "it came from the shop's own address")
        elif not (mail.text or mail.subject):
            await self._skip_mail(mail, "it has no subject and no text")
            if mail.is_nested_too_deeply:
                await self._report_unreadable(mail.message_id, "its parts are nested too deeply")
        else:
            await self._hear(mail, await self._customer_of(mail))

    @property
    def _own_addresses(self) -> frozenset[str]:
        own = (self.settings.sender.lower(), self.settings.reply_to.lower())
        return frozenset(address for address in own if address)

    async def _is_for_us(self, mail: ReceivedEmail) -> bool:
        """Tell whether a mail to many is meant for the shop: by its own list, or of a customer."""
        if mail.bounce is None or mail.bounce.kind is not BounceKind.BULK:
            return False
        domains = {address.rpartition("@")[2] for address in self._own_addresses}
        if any(f".{mail.list_id}".endswith(f".{domain}") for domain in domains):
            return True
        return await self._customer_of(mail) is not None

    async def _customer_of(self, mail: ReceivedEmail) -> str | None:
        """Return the customer who wrote it; None for a stranger and for a forged sender."""
        if not mail.sender or mail.authentication is Authentication.FAILED:
            return None
        return await self.box.find_customer_by_email(mail.sender)

    async def _is_opt_out(self, mail: ReceivedEmail) -> bool:
        """Record an opt-out by our token or a customer's one word; tell whether it was one."""
        found = _UNSUBSCRIBE.match(mail.subject)
        customer = self.seals.customer_of(found[1]) if found else None
        if customer is None and (_OPT_OUT.match(mail.subject) or _OPT_OUT.match(mail.text)):
            customer = await self._customer_of(mail)
        if customer is None:
            return False
        await self._do(mail, SetConsent(customer=customer, marketing=False))
        return True

    async def _heed(self, mail: ReceivedEmail, notice: BounceReport) -> None:
        """Act on what a program reports, if it is about a letter that is provably ours."""
        number = self.seals.number_in(notice.about)
        if notice.kind in (BounceKind.AUTOMATIC, BounceKind.BULK):
            await self._skip_mail(mail, notice.reason)
        elif number is None:
            await self._skip_mail(mail, "it reports on a letter that is not the shop's")
        elif notice.kind is BounceKind.DELAYED:
            await self._skip_mail(mail, "it reports a delay; the server goes on trying")
        elif notice.kind is BounceKind.COMPLAINT:
            message = await self.box.message(number)
            await self._suppress(mail, message.address, "its owner called our mail spam")
        elif notice.kind is BounceKind.RETURNED:
            await self.box.bounced(number, notice.reason)
        else:
            address = await self.box.bounced(number, notice.reason)
            await self._suppress(mail, address or "", notice.reason or "its mail comes back")

    async def _suppress(self, mail: ReceivedEmail, address: str, reason: str) -> None:
        if address:
            await self._do(mail, SuppressAddress(address=address.lower(), reason=reason[:200]))

    async def _hear(self, mail: ReceivedEmail, customer: str | None) -> None:
        """Take an order of a known customer as one, and anything else as a question."""
        about = await self._about(mail)
        if customer is not None and about is None and self._may_order(mail):
            products = ProductIndex(await self.store.products())
            if order := find_order(mail.text.strip(), products):
                await self._tell(mail, MailReceived(mail=order, customer=customer))
                return
        if not await self._ask(mail, _ticket(mail, customer, about)) and about is not None:
            await self._ask(mail, _ticket(mail, customer, None), "/new")  # it is another customer's

    def _may_order(self, mail: ReceivedEmail) -> bool:
        """Tell whether the sender is sure enough to reserve stock without a person.

        Where the owner's mail host is named, it must have confirmed the sender.
        """
        if self.settings.authserv_id:
            return mail.authentication is Authentication.PASSED
        return mail.authentication is not Authentication.FAILED

    async def _ask(self, mail: ReceivedEmail, ticket: OpenTicket, part: str = "") -> bool:
        """Open or continue a ticket; False where it was refused."""
        return (await self._do(mail, ticket, part)).applied

    async def _tell(self, mail: ReceivedEmail, event: MailReceived) -> None:
        published = EventEnvelope(
            source=SOURCE,
            external_id=mail.identity,
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

    async def _do(self, mail: ReceivedEmail, action: Action, part: str = "") -> Outcome:
        key = f"mail/{mail.identity}{part}"
        return await self.store.apply(action, key=key, actor=SOURCE)


def _ticket(mail: ReceivedEmail, customer: str | None, about: QueuedMessage | None) -> OpenTicket:
    """Return the question that a mail asks, as part of the conversation that it answers."""
    ticket_id, order_id = f"mail-{mail.identity[:16]}", None
    if about is not None and _is_of(mail, customer, about):
        if found := _TICKET.match(about.topic):
            ticket_id = found[1]
        elif found := _ORDER.match(about.topic):
            order_id = int(found[1])
    subject = "" if about is not None else mail.subject
    is_forged = mail.authentication is Authentication.FAILED
    parts = (_FORGED if is_forged else "", subject, mail.text)
    return OpenTicket(
        ticket_id=ticket_id,
        text="\n\n".join(part for part in parts if part)[:_MAX_QUESTION],
        customer=customer,
        order_id=order_id,
        channel="mail",
        contact="" if customer is not None or is_forged else mail.reply_to,
        reference=mail.message_id if MESSAGE_ID.fullmatch(mail.message_id) else "",
    )


def _is_of(mail: ReceivedEmail, customer: str | None, about: QueuedMessage) -> bool:
    """Tell whether the mail comes from whom the message went to."""
    if customer is not None:
        return customer == about.customer
    return not about.customer and mail.sender == about.address.lower()


def _is_unexpected(error: Exception) -> bool:
    return not isinstance(error, StorecrewError)


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
