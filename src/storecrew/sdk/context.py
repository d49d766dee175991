"""What an agent may touch during one run: it can look, not act."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from storecrew.domain.errors import NotPermitted
from storecrew.domain.ports import Models, StoreView


class ReadOnly:
    """A store that can only be looked at: the reading half of the port, and nothing else.

    Agents get this and not the store itself, so that what the type checker forbids is refused
    at run time too.
    """

    __slots__ = ("_agent", "_reads")

    def __init__(self, store: StoreView, agent: str) -> None:
        names = (name for name in vars(StoreView) if not name.startswith("_"))
        self._reads = MappingProxyType({name: getattr(store, name) for name in names})
        self._agent = agent

    def __getattr__(self, name: str) -> Any:
        try:
            return self._reads[name]
        except KeyError:
            raise NotPermitted(self._agent, f"call {name!r} on the store") from None


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything an agent may touch during one run."""

    run: str
    agent: str
    now: datetime
    """The moment this run began; the same on a replay."""
    store: StoreView
    models: Models
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The agent's own section of `storecrew.yaml`."""
    currency: str = "EUR"
    """The shop's currency."""
