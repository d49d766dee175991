"""Sizes and shares as a service's description writes them: `512MB`, `25%`."""

import re

from storecrew.domain.errors import InvalidInput

_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_SIZE = re.compile(r"(\d{1,12})\s?(B|KB|MB|GB)")
_SHARE = re.compile(r"(\d{1,6}(?:\.\d{1,2})?)\s?%")


def bytes_of(text: str) -> int:
    """Return the bytes of `512MB`; a megabyte is 2^20 bytes. Raises `InvalidInput`."""
    match = _SIZE.fullmatch(text.strip().upper())
    if match is None or int(match[1]) == 0:
        raise InvalidInput("resources.max_memory", f"{text!r} is no size such as 512MB or 2GB")
    return int(match[1]) * _UNITS[match[2]]


def share_of(text: str) -> float:
    """Return `25%` as 0.25 of one core; more than 100% is more than one. Raises `InvalidInput`."""
    match = _SHARE.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise InvalidInput("resources.max_cpu", f"{text!r} is no share of a core such as 25%")
    return float(match[1]) / 100
