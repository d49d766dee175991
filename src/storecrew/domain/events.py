"""Events: facts in the past tense, never changed once published."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened."""

    @property
    def subject(self) -> str:
        """What it is about, as `kind:key`; events on one subject are handled in order."""
        return ""


@dataclass(frozen=True, kw_only=True)
class ProductEvent(Event):
    """An event about one product."""

    sku: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


@dataclass(frozen=True, kw_only=True)
class OrderEvent(Event):
    """An event about one order."""

    order_id: int

    @property
    def subject(self) -> str:
        """The order."""
        return f"order:{self.order_id}"
