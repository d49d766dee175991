"""A mailbox, and what reads it into a store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mail_scenario import SEALS, MailScenario, mail_scenario, mail_settings

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.customers import Customer
from storecrew.mail.inbound import InboundProcessor
from storecrew.mail.mailbox import FetchedEmail, FetchResult, ImapCursor
from support.shared_cases import shared_case


@dataclass
class Inbox:
    """A mailbox that hands out what a test puts in, again and again until it was recorded."""

    mails: list[bytes] = field(default_factory=list[bytes])

    def fetch(self, after, now, *, limit=50):
        start = after.uid if after else len(self.mails)
        taken = self.mails[start : start + limit]
        place = ImapCursor(validity=1, uid=start + len(taken), at=now)
        more = start + len(taken) < len(self.mails)
        found = tuple(
            FetchedEmail(uid=uid, content=content) for uid, content in enumerate(taken, start + 1)
        )
        return FetchResult(mails=found, cursor=place, more=more)


@dataclass
class Notes:
    kept: dict[str, str] = field(default_factory=dict[str, str])

    async def find(self, name):
        return self.kept.get(name)

    async def keep(self, name, value):
        self.kept[name] = value


@dataclass
class Incidents:
    open: dict = field(default_factory=dict)

    async def report_incident(self, action, *, now):
        self.open.setdefault(action.incident, action)
        return True

    async def resolve_incident(self, name, *, reason, now):
        return self.open.pop(name, None) is not None


@dataclass
class Skipped:
    found: list = field(default_factory=list)

    async def record(self, source, reason, sample, now):
        self.found.append((reason, sample))

    @property
    def reasons(self):
        return [reason for reason, _ in self.found]


@dataclass
class Room:
    scenario: MailScenario
    inbox: Inbox
    skipped: Skipped = field(default_factory=Skipped)
    incidents: Incidents = field(default_factory=Incidents)
    settings: dict = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)
    published: list = field(default_factory=list)

    async def publish(self, events):
        known = {(e.source, e.external_id) for e in self.published}
        self.published += [e for e in events if (e.source, e.external_id) not in known]

    def processor(self, **more) -> InboundProcessor:
        settings = mail_settings(imap={"host": "imap.example", "security": "tls"}, **self.settings)
        parts = {
            "inbox": self.inbox,
            "notes": self.notes,
            "box": self.scenario.box,
            "store": self.scenario.store,
            "publish": self.publish,
            "seals": SEALS,
            "settings": settings,
            "clock": self.scenario.clock,
            "skipped": self.skipped,
            "incidents": self.incidents,
        }
        return InboundProcessor(**{**parts, **more})

    async def receive(self, *mails: str | bytes, **more) -> None:
        """Let the processor find its place, then these mails arrive, and it looks."""
        room = self.processor(**more)
        if not self.notes.kept:
            await room.round()
        self.inbox.mails += [m if isinstance(m, bytes) else m.encode() for m in mails]
        while await room.round():
            pass

    async def tickets(self):
        return await self.scenario.store.tickets()


def mail(text: str, *, sender="c0001@customer.example", number=1, subject="Question", head=""):
    top = f"From: <{sender}>\nSubject: {subject}\nMessage-ID: <{number}@c.example>\n"
    return f"{top}{head}\n{text}\n"


@asynccontextmanager
async def bowl_room() -> AsyncIterator[Room]:
    """Open the mailbox of a shop that knows kim and pat, and sells oak bowls and spoons."""
    async with mail_scenario() as scenario:
        found = await make_room(scenario)
        known = {"kim": "kim@buyer.example", "pat": "pat@customer.example"}
        await scenario.store.put_customers(
            [
                Customer(id=name, name=name, email=email, marketing_consent=True)
                for name, email in known.items()
            ]
        )
        for sku, name in {"bowl": "Oak bowl", "spoon": "Oak spoon"}.items():
            put = UpsertProduct(sku=sku, name=name, price=Money.of(5, "EUR"))
            await scenario.store.apply(put, key=sku)
        yield found


def shared_mail(name: str, **replaced: str) -> bytes:
    """Return a shared mail as one to this shop."""
    content = shared_case(f"mail/{name}.eml").read_bytes()
    for old, new in {"tea.example": "shop.example", **replaced}.items():
        content = content.replace(old.encode(), new.encode())
    return content


async def make_room(scenario: MailScenario) -> Room:
    """Return a mailbox of a shop with three customers that sells tea."""
    await scenario.add_customers(3)
    put = UpsertProduct(sku="tea", name="Green Tea", price=Money.of(5, "EUR"))
    await scenario.store.apply(put, key="put")
    return Room(scenario, Inbox())
