"""Sends queued messages to the mail server, each at most once, at a set rate."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from storecrew.domain.control.incidents import IncidentKind, OpenIncident
from storecrew.domain.errors import StorecrewError
from storecrew.domain.input_text import one_line
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.messages import MessageQueue
from storecrew.domain.ports.repositories import IncidentRepository
from storecrew.domain.shop.messages import DeliveryResult, DeliveryState, OutgoingEmail
from storecrew.mail.addresses import mailable
from storecrew.mail.renderer import EmailRenderer
from storecrew.mail.smtp import Envelope, Mailer, SmtpResponse, SmtpResult

_LOOK_EVERY = 1.0
"""Seconds between two looks for messages: customers wait no longer for a letter to leave."""
_OUTAGES = (5.0, 15.0, 60.0, 300.0)
"""Seconds until a server that was not reached is tried again, by how often it was not."""
_LOST = timedelta(minutes=10)
"""Time after which another process's letter under way counts as lost: longer than any send."""
_PATIENCE = (1, 5, 15, 60, 180, 360, 720)
"""Minutes that a letter which was put off waits, by how often it was tried. Grey lists take a few
minutes, full disks an hour."""
_MOST = 32
"""Letters taken out at once: what a crash may leave unknown."""
_MANY_REFUSALS = 5
"""Letters refused in a row before a person should know."""
_REFUSED_INCIDENT = "mail/refused"
_log = structlog.get_logger(__name__)

SuppressBad = Callable[[OutgoingEmail, str], Awaitable[None]]
"""Told of a letter whose address does not exist, and of what the server said."""


@dataclass(kw_only=True)
class EmailSender:
    """Takes letters out, hands them over and writes down what became of each.

    A letter stands as being sent before the server hears of it, so a crash leaves it unknown and
    not unsent: it is not handed over again unless the server said that it did not take it.
    """

    box: MessageQueue
    writer: EmailRenderer
    clock: Clock
    mailer: Callable[[], Mailer]
    may_send: Callable[[], Awaitable[bool]]
    """Whether this process is to send at this moment."""
    is_quiet: Callable[[datetime], bool] = lambda _now: False
    """Whether marketing has to wait at this moment."""
    no_mailbox: SuppressBad | None = None
    incidents: IncidentRepository | None = None
    """Where it is reported that the server refuses one letter after the other."""
    alone: bool = True
    """Whether no other process sends from this box: then what is under way at the start is lost."""
    _mailers: list[Mailer] = field(default_factory=list[Mailer], init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _outages: int = field(default=0, init=False)
    """How often in a row the server was not reached."""
    _refusals: int = field(default=0, init=False)
    """Letters refused in a row, to whatever addresses."""
    _is_resolved: bool = field(default=False, init=False)
    """Whether no incident of refusals is open, as far as this process knows."""
    _is_down: bool = field(default=False, init=False)
    """Whether it was not in this round."""
    _next: float = field(default=0.0, init=False)
    """When the next letter may go, on the loop's clock."""
    _recovered_at: datetime | None = field(default=None, init=False)
    _results: list[DeliveryResult] = field(default_factory=list[DeliveryResult], init=False)
    """What is not written down yet, because the database was busy."""

    async def run(self) -> None:
        """Send what is due until told to stop; never ends because of a bad letter or server."""
        try:
            while not self._stop.is_set():
                await self._rest(self._pause(await self._look()))
        finally:
            for mailer in self._mailers:
                await mailer.close()

    async def _look(self) -> int:
        """Send what is due, and outlive whatever goes wrong with it; return how many there were."""
        try:
            return await self.round() if await self.may_send() else 0
        except StorecrewError as error:  # a busy database: the next look sees to it
            _log.warning("mail_not_sent", error=str(error))
        except Exception:  # noqa: BLE001 - the boundary of the postman: mail of others goes on
            _log.exception("mail_not_sent")
        return 0

    def request_stop(self) -> None:
        """Finish the letters under way, give the others back, and end."""
        self._stop.set()

    async def round(self) -> int:
        """Send one handful of letters that are due; return how many were taken out."""
        await self._write_down()
        await self._recover()
        settings, self._is_down = self.writer.settings, False
        letters = await self.box.claim(
            self._handful(),
            marketing=settings.offers_unsubscribing and not self.is_quiet(self.clock.now()),
            stale=timedelta(hours=settings.max_age_hours) if settings.max_age_hours else None,
        )
        waiting = deque(letters)
        lanes = min(settings.smtp.concurrency, len(waiting))
        while len(self._mailers) < lanes:
            self._mailers.append(self.mailer())
        async with asyncio.TaskGroup() as group:
            for mailer in self._mailers[:lanes]:
                group.create_task(self._lane(mailer, waiting))
        await self._record(*(_unsent(letter, "") for letter in waiting))
        return len(letters)

    def _handful(self) -> int:
        """Return how many letters go in a second: who opts out later than that is too late."""
        if self._outages:  # one letter shows whether the server is back
            return 1
        smtp = self.writer.settings.smtp
        a_second = -(-smtp.rate_per_minute // 60) if smtp.rate_per_minute else _MOST
        return max(1, min(_MOST, a_second))

    async def _lane(self, mailer: Mailer, waiting: deque[OutgoingEmail]) -> None:
        """Send letters over one connection until none waits or the server is gone."""
        while waiting and not self._is_down and await self._turn():
            if waiting:  # another lane may have been faster
                await self._send(mailer, waiting.popleft())

    async def _turn(self) -> bool:
        """Wait for the next letter's turn; False where sending must not go on."""
        loop, rate = asyncio.get_running_loop(), self.writer.settings.smtp.rate_per_minute
        if rate:
            due = max(self._next, loop.time())
            self._next = due + 60 / rate
            await self._rest(due - loop.time())
        try:
            return not self._stop.is_set() and await self.may_send()
        except StorecrewError:  # who cannot ask whether to stop, stops
            return False

    async def _send(self, mailer: Mailer, letter: OutgoingEmail) -> None:
        try:
            recipient = mailable(letter.address) or ""
            content = self.writer.compose(letter).as_bytes()
        except Exception as error:  # noqa: BLE001 - a letter that cannot be written stops no other
            _log.warning("letter_not_written", message=letter.message_id, error=repr(error))
            await self._record(_result(letter, DeliveryState.FAILED, str(error)))
            return
        sender = self.writer.settings.sender
        envelope = Envelope(sender=sender, recipient=recipient, content=content)
        try:
            answer = await mailer.send(envelope)
        except Exception as error:  # noqa: BLE001 - whatever it was, the letter may be there
            answer = SmtpResponse(result=SmtpResult.UNKNOWN, detail=repr(error)[:300])
        await self._note(letter, answer)

    async def _note(self, letter: OutgoingEmail, answer: SmtpResponse) -> None:
        """Write down what the server said, before anything else is done."""
        await self._record(self._judged(letter, answer))
        if answer.result is SmtpResult.UNREACHABLE:
            if not self._is_down:
                self._is_down, self._outages = True, self._outages + 1
                _log.warning("mail_server_not_reached", detail=answer.detail, times=self._outages)
            return
        self._outages = 0
        try:
            await self._count_refusal(answer)
        except StorecrewError as error:  # the next letter that is refused is counted as well
            _log.warning("refusals_not_reported", error=str(error))
        if answer.result is SmtpResult.MAILBOX_NOT_FOUND and self.no_mailbox is not None:
            try:
                await self.no_mailbox(letter, answer.detail)
            except StorecrewError as error:  # the next letter to it is refused as well
                _log.warning("address_not_suppressed", error=str(error))

    async def _count_refusal(self, answer: SmtpResponse) -> None:
        """Report many refusals in a row: then it is the sender that is refused, not its readers."""
        if self.incidents is None:
            return
        now = self.clock.now()
        if answer.result is SmtpResult.ACCEPTED:
            if not self._is_resolved:
                reason = "the server takes letters again"
                await self.incidents.resolve_incident(_REFUSED_INCIDENT, reason=reason, now=now)
            self._refusals, self._is_resolved = 0, True
        elif answer.result in (SmtpResult.REFUSED, SmtpResult.MAILBOX_NOT_FOUND):
            self._refusals += 1
            if self._refusals == _MANY_REFUSALS:
                await self.incidents.report_incident(_refused(self._refusals, answer), now=now)
                self._is_resolved = False

    async def _record(self, *results: DeliveryResult) -> None:
        """Write results down; what a busy database does not take is kept for the next round."""
        self._results.extend(results)
        try:
            await self._write_down()
        except StorecrewError as error:
            _log.warning("mail_not_recorded", error=str(error), letters=len(self._results))

    async def _write_down(self) -> None:
        batch, self._results = self._results, []
        if not batch:
            return
        try:
            await self.box.record(batch)
        except BaseException:
            self._results = batch + self._results
            raise

    def _judged(self, letter: OutgoingEmail, answer: SmtpResponse) -> DeliveryResult:
        match answer.result:
            case SmtpResult.ACCEPTED:
                return _result(letter, DeliveryState.SENT, answer.detail)
            case SmtpResult.MAILBOX_NOT_FOUND | SmtpResult.REFUSED:
                return _result(letter, DeliveryState.FAILED, answer.detail)
            case SmtpResult.UNKNOWN:
                return _result(letter, DeliveryState.UNKNOWN, answer.detail)
            case SmtpResult.UNREACHABLE:
                return _unsent(letter, answer.detail)
            case SmtpResult.DEFERRED:
                return self._put_off(letter, answer.detail)

    def _put_off(self, letter: OutgoingEmail, detail: str) -> DeliveryResult:
        if letter.attempt >= self.writer.settings.max_attempts:
            tries = f"given up after {letter.attempt} tries: {detail}"
            return _result(letter, DeliveryState.FAILED, tries)
        minutes = _PATIENCE[min(letter.attempt, len(_PATIENCE)) - 1]
        return DeliveryResult(
            message_id=letter.message_id,
            attempt=letter.attempt,
            state=DeliveryState.WAITING,
            detail=detail,
            due_at=self.clock.now() + timedelta(minutes=minutes),
        )

    async def _recover(self) -> None:
        """Mark as unknown what a sender that is gone was sending; at start, then periodically."""
        now, before = self.clock.now(), None
        if self._recovered_at is None:
            before = now if self.alone else now - _LOST
        elif now - self._recovered_at > _LOST:
            before = now - _LOST
        if before is not None:
            self._recovered_at = now
            if lost := await self.box.recover(before):
                _log.warning("mail_unknown", letters=lost)

    def _pause(self, sent: int) -> float:
        """Return how long to rest; a server that was not reached is asked ever more seldom."""
        if self._outages:
            return _OUTAGES[min(self._outages, len(_OUTAGES)) - 1]
        return 0.0 if sent else _LOOK_EVERY

    async def _rest(self, seconds: float) -> None:
        """Rest so long, or until told to stop."""
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stop.wait()


def _refused(times: int, answer: SmtpResponse) -> OpenIncident:
    return OpenIncident(
        incident=_REFUSED_INCIDENT,
        title="the mail server refuses letters",
        cause="often the sender's reputation, or missing SPF, DKIM or DMARC records",
        observed=f"{times} letters in a row were refused; the last: {one_line(answer.detail)}",
        expected="letters are accepted",
        kind=IncidentKind.INPUT,
    )


def _result(letter: OutgoingEmail, state: DeliveryState, detail: str) -> DeliveryResult:
    return DeliveryResult(
        message_id=letter.message_id, attempt=letter.attempt, state=state, detail=detail
    )


def _unsent(letter: OutgoingEmail, detail: str) -> DeliveryResult:
    return DeliveryResult(
        message_id=letter.message_id,
        attempt=letter.attempt,
        state=DeliveryState.WAITING,
        detail=detail,
        tried=False,
    )
