"""Finds an order in a mail where a person would read one: one text in several layouts."""

import re
import unicodedata

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.catalog import ProductIndex
from storecrew.domain.shop.orders import parse_order

_LONGEST = 5_000
_BULLET = re.compile(r"^(?:[-*•]|\d{1,3}[.)])\s+")
_COMPLETE = re.compile(r":\s*\d+$")


def find_order(text: str, products: ProductIndex) -> str | None:
    """Return the order in its one form, where the whole text is an order of known products.

    Lines, bullets, wide characters and a closing mark are how mail programs write the same.
    """
    if len(text) > _LONGEST:
        return None
    for candidate in (text, _as_one_line(text)):
        try:
            products.find_all(parse_order(candidate))
        except InvalidInput:
            continue
        return candidate
    return None


def _as_one_line(text: str) -> str:
    lines: list[str] = []
    for raw in unicodedata.normalize("NFKC", text).splitlines():
        line = _BULLET.sub("", raw.strip()).strip(" ,;.")
        if not line:
            continue
        if lines and (":" not in line or not _COMPLETE.search(lines[-1])):
            lines[-1] = f"{lines[-1]} {line}"  # broken by the program, not by its writer
        else:
            lines.append(line)
    return ", ".join(lines)
