"""Customers: consent, activity, and back-in-stock subscriptions."""

from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.actions import Action
from storecrew.domain.events import Event, ProductEvent
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class Customer:
    """A customer."""

    id: str
    name: str
    email: str | None = None
    marketing_consent: bool = False
    locale: str = "en"


@dataclass(frozen=True, kw_only=True)
class CustomerSpend:
    """What one customer bought in a period; orders called off do not count."""

    orders: int
    value: Money
    last_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerActivity:
    """Something a customer did in the shop's window."""

    customer: str
    kind: str
    """`viewed`, `carted` or `searched`."""
    at: datetime
    sku: str = ""
    text: str = ""
    """What was searched for."""


@dataclass(frozen=True, kw_only=True)
class RecordCustomerActivity(Action):
    """Note what a customer did in the shop's window. An observation."""

    customer: str
    kind: str
    sku: str = ""
    text: str = ""

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class UpsertCustomer(Action):
    """Enter a customer, or change what is known of one; consent to marketing is set apart.

    None leaves what is known. A new customer needs a name; the language is English at first.
    """

    customer: str
    name: str | None = None
    email: str | None = None
    """Empty takes the address away."""
    locale: str | None = None

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class SetConsent(Action):
    """Record whether the customer agrees to marketing; an opt-out holds at once."""

    customer: str
    marketing: bool

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class SubscribeBackInStock(Action):
    """Tell the customer once when the product can be bought again."""

    customer: str
    sku: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


@dataclass(frozen=True, kw_only=True)
class BackInStock(ProductEvent):
    """A sold-out product with waiting customers can be bought again."""


@dataclass(frozen=True, kw_only=True)
class ConsentChanged(Event):
    """A customer agreed to marketing, or opted out."""

    customer: str
    marketing: bool


@dataclass(frozen=True, kw_only=True)
class CustomerChanged(Event):
    """A customer was entered, or what is known of one changed; what it is stays in the shop."""

    customer: str
    fields: tuple[str, ...]
    """Names of what changed."""

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class CustomerActivityRecorded(Event):
    """A customer did something in the shop's window."""

    customer: str
    kind: str
    """`viewed`, `carted` or `searched`."""
    sku: str = ""
    text: str = ""

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"
