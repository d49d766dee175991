"""Actions: changes to the store or the control plane, each applied at most once per key."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Action:
    """A change to the store."""

    @property
    def subject(self) -> str:
        """What the action touches, as `kind:key`; actions on one subject are kept in order."""
        raise TypeError(f"{type(self).__name__} names no subject")


@dataclass(frozen=True, kw_only=True)
class ProductAction(Action):
    """An action on one product."""

    sku: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


@dataclass(frozen=True, kw_only=True)
class OrderAction(Action):
    """An action on one order."""

    order_id: int

    @property
    def subject(self) -> str:
        """The order."""
        return f"order:{self.order_id}"


@dataclass(frozen=True, kw_only=True)
class Command:
    """An action and the key under which it happens at most once."""

    key: str
    action: Action
    actor: str
    """Who it is done for: `agent:<name>`, `person:<name>`, `shop`, `import`."""


@dataclass(frozen=True, kw_only=True)
class ControlAction(Action):
    """An action on the plane, not on the store."""
