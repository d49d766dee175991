"""Looking at the store from another process: each question of `StoreView` as JSON, and back."""

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, get_type_hints

from storecrew.domain.codec import decode
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.ports.store import StoreView

_PARTS = [kind for kind in StoreView.__mro__ if kind.__module__.startswith("storecrew.")]
QUERIES = frozenset(name for kind in _PARTS for name in vars(kind) if not name.startswith("_"))
"""What may be asked: the reading half of the store's port, and nothing else."""


def arguments(question: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a question from JSON.

    Raises `NotFound` for what is no question and `InvalidInput` naming the argument.
    """
    known = _parameters(question)
    if unknown := given.keys() - known.keys():
        raise InvalidInput(min(unknown), f"is no argument of {question}")
    needed = {name for name, parameter in known.items() if parameter.default is parameter.empty}
    if absent := needed - given.keys():
        raise InvalidInput(min(absent), "is required")
    hints = _hints(question)
    return {name: decode(hints[name], value, field=name) for name, value in given.items()}


def named(question: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name; raises `TypeError` as the call itself would."""
    signature = inspect.Signature(list(_parameters(question).values()))
    return dict(signature.bind(*args, **kwargs).arguments)


def answer(question: str, content: Any) -> Any:
    """Return the answer to a question from JSON."""
    return decode(_hints(question)["return"], content, field=question)


@cache
def _parameters(question: str) -> Mapping[str, inspect.Parameter]:
    if question not in QUERIES:
        raise NotFound("question", question)
    parameters = inspect.signature(getattr(StoreView, question)).parameters
    return {name: found for name, found in parameters.items() if name != "self"}


@cache
def _hints(question: str) -> Mapping[str, Any]:
    return get_type_hints(getattr(StoreView, question))
