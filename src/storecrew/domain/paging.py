"""One page of something longer, as the readers of the books get it."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T_co]):
    """The items of one page and how many there are in all."""

    items: tuple[T_co, ...]
    total: int
