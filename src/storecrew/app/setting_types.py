"""Types of settings: what a value must mean, beyond its shape."""

import re
from collections.abc import Callable
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from storecrew.domain.money import CURRENCIES
from storecrew.policy.settings import host_name

T = TypeVar("T")


def _must(be: str, holds: Callable[[T], bool]) -> AfterValidator:
    """Refuse a value for which this does not hold; an exception counts as no."""

    def check(value: T) -> T:
        try:
            fine = holds(value)
        except ValueError:
            fine = False
        if not fine:
            raise ValueError(f"must be {be}")
        return value

    return AfterValidator(check)


def _is_listen_host(text: str) -> bool:
    try:
        return bool(ip_address(text.partition("%")[0]))
    except ValueError:
        return bool(host_name(text))


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    bare = not (parts.path or parts.query or parts.fragment or parts.username)
    return parts.scheme in ("http", "https") and bool(host_name(parts.hostname or "")) and bare


def _is_database(url: SecretStr) -> bool:
    parts = urlsplit(url.get_secret_value())
    named = bool(parts.hostname or parts.query or parts.path.strip("/"))
    has_port = parts.port is None or parts.port > 0
    return parts.scheme in ("postgresql", "postgres", "postgresql+psycopg") and named and has_port


def _is_dsn(url: SecretStr) -> bool:
    parts = urlsplit(url.get_secret_value())
    return parts.scheme in ("http", "https") and bool(parts.username and parts.hostname)


def _is_alert_address(url: SecretStr) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\S", url.get_secret_value()) is not None


def _is_quiet(hours: str) -> bool:
    if not hours:
        return True
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    return start != end and re.fullmatch(r"\d\d:\d\d-\d\d:\d\d", hours) is not None


Currency = Annotated[str, _must("an ISO 4217 code such as EUR", lambda code: code in CURRENCIES)]
OneLine = Annotated[
    str, _must("one line of text", lambda text: text.isprintable() and text.strip() != "")
]
Folder = Annotated[Path, _must("a path", lambda path: str(path).isprintable())]
ListenHost = Annotated[str, _must("an address of this machine or a host name", _is_listen_host)]
Origin = Annotated[str, _must("an origin such as https://shop.example", _is_origin)]
DatabaseUrl = Annotated[
    SecretStr,
    _must("a URL such as postgresql://user@host/name; SQLite files need none", _is_database),
]
SentryDsn = Annotated[SecretStr, _must("a DSN such as https://key@host/1", _is_dsn)]
AlertUrl = Annotated[SecretStr, _must("an address such as mailto://user@host", _is_alert_address)]
QuietHours = Annotated[str, _must("hours such as 22:00-07:00, or empty", _is_quiet)]
