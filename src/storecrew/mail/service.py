"""Mail as entry points use it: previews, delivery states, suppressed addresses."""

from dataclasses import dataclass
from functools import cached_property

from storecrew.domain.control.proposals import Outcome
from storecrew.domain.control.skipped_inputs import SkippedInput
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.messages import MessageQueue
from storecrew.domain.ports.repositories import SkippedInputRepository
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.customers import Customer, SetConsent
from storecrew.domain.shop.messages import (
    MARKETING,
    DeliveryState,
    LiftSuppression,
    MailReport,
    MessagePage,
    OutgoingEmail,
    QueuedMessage,
    SendMessage,
    SuppressAddress,
    SuppressionPage,
)
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.domain.shop.support import ReplyToTicket
from storecrew.mail.addresses import mailable
from storecrew.mail.inbound import SKIPPED
from storecrew.mail.renderer import EmailRenderer
from storecrew.mail.settings import MailSettings
from storecrew.mail.smtp import Envelope, SmtpMailer, SmtpResponse
from storecrew.mail.token_signer import TokenSigner
from storecrew.mail.translations import translation_of

_NOBODY = Customer(id="preview", name="", email="customer@example.com")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A message as its reader would see it."""

    subject: str
    sender: str
    to: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class MailState:
    """Whether mail is sent and read, and how many messages stand where."""

    sends: bool
    reads: bool
    problem: str
    """What keeps messages waiting; empty where nothing does."""
    report: MailReport
    skipped: tuple[SkippedInput, ...] = ()
    """Mails that came and were not acted on, counted by reason."""


@dataclass(frozen=True, kw_only=True)
class MailService:
    """Previews, delivery reports, retries and suppression of mail."""

    settings: MailSettings
    box: MessageQueue
    store: Store
    clock: Clock
    seals: TokenSigner
    skipped: SkippedInputRepository
    link_hosts: tuple[str, ...] = ()
    """Hosts that letters may link to, besides our own."""

    @cached_property
    def writer(self) -> EmailRenderer:
        """What composes letters."""
        named = (*self.link_hosts, self.settings.public_host)
        hosts = frozenset(host.lower() for host in named if host)
        return EmailRenderer(self.settings, self.seals, hosts)

    async def state(self, campaign: str | None = None) -> MailState:
        """Return where messages stand, all or those of one campaign."""
        own = self.settings
        problem = ""
        if not own.sends:
            problem = "mail is off: set mail.smtp.host and mail.sender; messages wait"
        elif not own.offers_unsubscribing:
            problem = "marketing waits: set mail.public_url or mail.imap, to unsubscribe by"
        report = await self.box.report(campaign)
        return MailState(
            sends=own.sends,
            reads=own.reads,
            problem=problem,
            report=report,
            skipped=tuple(await self.skipped.counts(SKIPPED)),
        )

    async def messages(
        self, *, state: DeliveryState | None = None, page: int = 1, per_page: int = 50
    ) -> MessagePage:
        """Return one page of messages in this state (all when None), newest first."""
        return await self.box.messages(state=state, page=page, per_page=per_page)

    async def message(self, message_id: int) -> QueuedMessage:
        """Return the message, or raise `NotFound`."""
        return await self.box.message(message_id)

    async def preview(self, message_id: int) -> Preview:
        """Return a queued message as its reader sees it, or raise `NotFound`."""
        message = await self.box.message(message_id)
        customer = await self._reader(message.customer)
        letter = OutgoingEmail(
            message_id=message_id,
            customer=customer.id,
            address=message.address or customer.email or "",
            name=customer.name,
            locale=customer.locale,
            purpose=message.purpose,
            title=message.title,
            body=message.body,
            queued_at=message.queued_at,
            campaign=message.campaign,
        )
        return self._shown(letter)

    async def preview_action(self, action: object) -> Preview:
        """Return what an action would send; `InvalidInput` for one that sends nothing."""
        match action:
            case SendMessage():
                reader = await self._reader(action.customer)
                return self.preview_words(action.purpose, action.title, action.body, reader)
            case StartCampaign():
                reader = await self._reader(action.recipients[0] if action.recipients else "")
                return self.preview_words(MARKETING, action.title, action.body, reader)
            case ReplyToTicket():
                ticket = await self.store.ticket(action.ticket_id)
                reader = await self._reader(ticket.customer or "")
                return self.preview_words("service", "Re:", action.text, reader)
            case _:
                raise InvalidInput("proposal", f"{type(action).__name__} sends no message")

    def preview_words(
        self, purpose: str, title: str, body: str, reader: Customer = _NOBODY
    ) -> Preview:
        """Return these words as a message."""
        letter = OutgoingEmail(
            message_id=0,
            customer=reader.id,
            address=reader.email or "",
            name=reader.name,
            locale=reader.locale,
            purpose=purpose,
            title=title,
            body=body,
            queued_at=self.clock.now(),
        )
        return self._shown(letter)

    async def retry(self, message_id: int, *, by: str) -> None:
        """Let a message that failed, was suppressed or is unknown wait again."""
        await self.box.retry(message_id, by=by)

    async def suppress(self, address: str, *, key: str, by: str) -> Outcome:
        """Write to this address no more."""
        if mailable(address) is None:
            raise InvalidInput("address", f"{address!r} is not an address")
        action = SuppressAddress(address=address.strip().lower(), reason=f"said {by}")
        return await self.store.apply(action, key=key, actor=by)

    async def suppressions(self, *, page: int = 1, per_page: int = 50) -> SuppressionPage:
        """Return one page of the addresses that are written to no more, the newest first."""
        return await self.box.suppressions(page=page, per_page=per_page)

    async def lift(self, address: str, *, key: str, by: str) -> Outcome:
        """Write to a suppressed address again."""
        return await self.store.apply(LiftSuppression(address=address), key=key, actor=by)

    async def unsubscribe(self, customer: str, *, key: str) -> Outcome:
        """Record that the customer wants no more marketing."""
        action = SetConsent(customer=customer, marketing=False)
        return await self.store.apply(action, key=key, actor=f"customer:{customer}")

    async def test(self, address: str) -> SmtpResponse:
        """Send a letter to this address now, past the queue, and return what the server said."""
        if not self.settings.sends:
            raise InvalidInput("mail.smtp.host", "is not set, so mail is off")
        recipient = mailable(address)
        if recipient is None:
            raise InvalidInput("address", f"{address!r} is not an address")
        now = self.clock.now()
        letter = OutgoingEmail(
            message_id=int(now.timestamp() * 1_000_000),  # far above any number in the ledger
            customer="",
            address=recipient,
            name="",
            locale="en",
            purpose="service",
            title=f"A test of mail from {self.settings.shop_name}",
            body="This letter was sent by `storecrew mail test`. Mail works.",
            queued_at=now,
        )
        content = self.writer.compose(letter).as_bytes()
        mailer = SmtpMailer(self.settings.smtp)
        try:
            return await mailer.send(
                Envelope(sender=self.settings.sender, recipient=recipient, content=content)
            )
        finally:
            await mailer.close()

    async def _reader(self, customer_id: str) -> Customer:
        try:
            return await self.store.customer(customer_id)
        except NotFound:
            return _NOBODY

    def _shown(self, letter: OutgoingEmail) -> Preview:
        sender = self.settings.sender or "not set"
        name = self.settings.shop_name
        return Preview(
            subject=letter.title,
            sender=f"{name} <{sender}>",
            to=f"{letter.name} <{letter.address}>".strip(),
            text=self.writer.text(letter),
            html=self.writer.html(letter),
        )

    def page(self, customer: Customer, *, done: bool) -> tuple[str, str, str, str]:
        """Return language, title, words and button of the page that unsubscribes."""
        words, shop = translation_of(customer.locale), self.settings.shop_name
        text = words.page_done if done else words.page_question
        title = words.page_title.replace("{shop}", shop)
        return words.language, title, text.replace("{shop}", shop), words.unsubscribe
