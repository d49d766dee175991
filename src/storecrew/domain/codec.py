"""Domain values to JSON and back: dataclasses tagged by name, strictly checked on the way in."""

import dataclasses
import json
import types
from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache, lru_cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from storecrew.domain.actions import Action
from storecrew.domain.control import (
    agents,
    events as control_events,
    incidents,
    integrity,
    proposals,
    runs,
    services,
)
from storecrew.domain.control.events import ExternalEventReceived, RunRequested
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop import (
    catalog,
    customers,
    inventory,
    messages,
    orders,
    payments,
    promotions,
    purchasing,
    returns,
    support,
)

T = TypeVar("T")
Decode = Callable[[Any, str], Any]


_MODULES = (
    catalog, customers, inventory, messages, orders, payments, promotions, purchasing, returns,
    support, agents, control_events, incidents, integrity, proposals, runs, services,
)  # fmt: skip
"""Where actions and events are declared."""


def _declared(kind: type[T]) -> dict[str, type[T]]:
    """Return the public subclasses of `kind` by name, each from the module that declares it."""
    return {
        name: found
        for module in _MODULES
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, kind)
        if found.__module__ == module.__name__ and not name.startswith("_")
    }


ACTIONS = _declared(Action)
EVENTS = _declared(Event)
PLANE_EVENTS: frozenset[type[Event]] = frozenset(
    {
        Event,
        control_events.ClockTicked,
        control_events.RunRequested,
        control_events.ExternalEventReceived,
        control_events.ActionApplied,
        runs.RunFailed,
        services.ServiceFailed,
        integrity.IntegrityCheckFailed,
        agents.GoalSet,
        messages.MailReceived,
    }
)
"""Events that only the plane and its owner record: a remote agent or webhook that could record
them would give orders in the name of others."""
REPORTABLE = {name: kind for name, kind in EVENTS.items() if kind not in PLANE_EVENTS}
"""Events that an agent or another system may record, where it is declared that it does."""


def encode(value: Any) -> Any:
    """Return the value as plain JSON: Decimals as strings, times as ISO 8601, money as a pair."""
    kind = type(value)
    return value if kind in _PLAIN else _encoder(cast("Hashable", kind))(value)


_PLAIN = frozenset({str, int, float, bool, types.NoneType})
_ENCODERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (Money, lambda money: {"amount": str(money.amount), "currency": money.currency}),
    (Enum, lambda member: _word(member)),
    (Mapping, lambda mapping: _encoded(mapping)),
    ((tuple, list, frozenset, array), lambda items: [encode(item) for item in items]),
    (Decimal, str),
    ((datetime, date), lambda moment: moment.isoformat()),
)


def _encoded(mapping: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(k): v if type(v) in _PLAIN else encode(v) for k, v in mapping.items()}


def decode(kind: type[T], data: Any, *, field: str = "") -> T:
    """Build a value of the given dataclass from JSON, or raise `InvalidInput` naming the field."""
    return cast("T", _decoder(cast("Any", kind))(data, field))


def decode_action(data: Any) -> Action:
    """Build the action that `type` names."""
    return _tagged(ACTIONS, data, "action")


def decode_event(data: Any) -> Event:
    """Build the event that `type` names."""
    return _tagged(EVENTS, data, "event")


def read_event(text: str) -> Event:
    """Build the event of this JSON text; the last ones are remembered, as many read the same."""
    event = _remembered(text)
    return decode_event(json.loads(text)) if isinstance(event, _CHANGEABLE) else event


_CHANGEABLE = (ExternalEventReceived, RunRequested)
"""Events that hold a mapping, which whoever reads it could change for the others."""


@lru_cache(maxsize=2048)
def _remembered(text: str) -> Event:
    return decode_event(json.loads(text))


def _tagged(kinds: Mapping[str, type[T]], data: Any, what: str) -> T:
    name = data.get("type") if isinstance(data, Mapping) else None
    if not isinstance(name, str) or name not in kinds:
        raise InvalidInput("type", f"names no {what}; known are {', '.join(sorted(kinds))}")
    return decode(kinds[name], {k: v for k, v in data.items() if k != "type"})


@cache
def _encoder(kind: Any) -> Callable[[Any], Any]:
    """Return the function that encodes this type."""
    for family, to_json in _ENCODERS:
        if issubclass(kind, family):
            return to_json
    names = tuple(f.name for f in dataclasses.fields(kind))

    def encode_record(value: Any) -> dict[str, Any]:
        return {
            name: item if type(item := getattr(value, name)) in _PLAIN else encode(item)
            for name in names
        }

    def encode_tagged(value: Any) -> dict[str, Any]:
        return {**encode_record(value), "type": kind.__name__}

    return encode_tagged if issubclass(kind, Action | Event) else encode_record


@cache
def _decoder(kind: Any) -> Decode:
    """Return the function that decodes this type."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _union(kind)
    if origin in (tuple, Sequence, Iterable):
        return _sequence(_decoder(get_args(kind)[0]))
    if origin in (Mapping, dict) or kind is Mapping:
        return _mapping(*(_decoder(inner) for inner in get_args(kind) or (str, Any)))
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    return _record(kind)


def _union(kind: Any) -> Decode:
    options = [option for option in get_args(kind) if option is not type(None)]
    if len(options) > 1:  # a union such as evidence: JSON tells them apart
        return lambda value, _: value
    inner = _decoder(options[0])
    return lambda value, field: None if value is None else inner(value, field)


def _sequence(inner: Decode) -> Decode:
    def decode_sequence(value: Any, field: str) -> Any:
        if not isinstance(value, list | tuple):
            raise InvalidInput(field, "must be a list")
        return tuple(inner(item, f"{field}.{n}") for n, item in enumerate(value))

    return decode_sequence


def _mapping(key: Decode, inner: Decode) -> Decode:
    def decode_mapping(value: Any, field: str) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidInput(field, "must be an object")
        return {key(k, field): inner(v, f"{field}.{k}") for k, v in value.items()}

    return decode_mapping


def _word(member: Enum) -> str:
    """Return the word for it: a number that only orders them would tell a reader nothing."""
    return member.value if isinstance(member.value, str) else member.name.lower()


def _enum(kind: type[Enum]) -> Decode:
    known = {_word(member): member for member in kind}

    def decode_enum(value: Any, field: str) -> Any:
        if not isinstance(value, str) or value not in known:
            raise InvalidInput(field, f"{value!r} is not one of {', '.join(known)}")
        return known[value]

    return decode_enum


def _record(kind: type) -> Decode:
    hints = get_type_hints(kind)
    plan = {f.name: _decoder(hints[f.name]) for f in dataclasses.fields(kind)}
    missing = dataclasses.MISSING
    needed = {
        f.name
        for f in dataclasses.fields(kind)
        if f.default is missing and f.default_factory is missing
    }

    def decode_record(value: Any, field: str) -> Any:
        prefix = f"{field}." if field else ""
        if not isinstance(value, Mapping):
            raise InvalidInput(field or kind.__name__, "must be an object")
        if not needed <= value.keys() <= plan.keys():
            if unknown := value.keys() - plan.keys():
                raise InvalidInput(prefix + min(unknown), f"is not a field of {kind.__name__}")
            raise InvalidInput(prefix + min(needed - value.keys()), "is required")
        return kind(**{name: plan[name](item, prefix + name) for name, item in value.items()})

    return decode_record


def _scalar(kind: type, what: str) -> Decode:
    def decode_scalar(value: Any, field: str) -> Any:
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise InvalidInput(field, f"must be {what}")
        return value

    return decode_scalar


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(field, "must be a number")
    return float(value)


def _decimal(value: Any, field: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput(field, "must be a decimal number in quotes")
    is_plain = isinstance(value, int) or (value.isascii() and "_" not in value)
    try:
        number = Decimal(value if is_plain else "")
    except InvalidOperation:
        raise InvalidInput(field, f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise InvalidInput(field, f"{value!r} is not a finite number")
    return number


def _time(value: Any, field: str) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(field, f"{value!r} is not an ISO 8601 time") from None
    if at.tzinfo is None:
        raise InvalidInput(field, f"{value!r} has no time zone")
    return at


def _date(value: Any, field: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(field, f"{value!r} is not an ISO 8601 date") from None


def _money(value: Any, field: str) -> Money:
    if not isinstance(value, Mapping) or value.keys() != {"amount", "currency"}:
        raise InvalidInput(field, 'must be {"amount": "1.20", "currency": "EUR"}')
    currency = _SCALARS[str](value["currency"], f"{field}.currency")
    return Money(_decimal(value["amount"], f"{field}.amount"), currency)


_SCALARS: dict[Any, Decode] = {
    Any: lambda value, _: value,
    Action: lambda value, _: decode_action(value),
    Event: lambda value, _: decode_event(value),
    str: _scalar(str, "a string"),
    int: _scalar(int, "a whole number"),
    bool: _scalar(bool, "true or false"),
    float: _number,
    Decimal: _decimal,
    datetime: _time,
    date: _date,
    Money: _money,
}
