"""Keeping secrets out of what is written down, wherever they turn up."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

MASK = "***"
_SHORTEST = 4
"""Characters under which a configured secret is too common to be searched for."""
_LOOKS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("://",), re.compile(r"(://)[^/@\s:'\"]*:[^/@\s'\"]*(?=@)")),
    (
        ("authorization",),
        re.compile(
            r"(?i)((?:proxy-)?authorization['\"]?\s{0,9}[:=,]\s{0,9}(?:b?['\"])?"
            r"(?:bearer\s{1,9}|basic\s{1,9})?)[^\s'\",]+"
        ),
    ),
    (("bearer",), re.compile(r"(?i)(\bbearer\s{1,9})[\w.~+/=-]{8,}")),
    (
        ("key", "token", "secret", "passw", "cookie", "dsn", "signature", "hmac"),
        re.compile(
            r"(?i)(\b[\w-]{0,40}(?:api[_-]?key|token|secret|password|passwd|cookie|dsn|signature|hmac)"
            r"[\w-]{0,40}['\"]?\s{0,9}[:=]\s{0,9}(?:b?['\"])?)[^\s'\",;&}]+"
        ),
    ),
    (("sck_",), re.compile(r"(\bsck_)[\w-]{20,}")),
)
"""What secrets look like, each with words without which none is there: most lines have none."""
_LOOKS_SECRET = re.compile(
    r"(?i)authorization|api[_-]?key|token|secret|password|passwd|cookie|dsn|signature|hmac"
)


class Redactor:
    """Replaces secrets in text by stars: those configured by value, others by their looks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        shapes = {shape for secret in secrets if len(secret) >= _SHORTEST for shape in _of(secret)}
        self._known = sorted(shapes, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        for secret in self._known:
            text = text.replace(secret, MASK)
        lower = text.lower()
        for hints, looks in _LOOKS:
            if any(hint in lower for hint in hints):
                text = looks.sub(rf"\1{MASK}", text)
        return text

    def value(self, value: Any) -> Any:
        """Return a nested value without secrets; a field named like a secret is one."""
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {
                    key: MASK if _LOOKS_SECRET.search(str(key)) and each else self.value(each)
                    for key, each in value.items()
                }
            case list() | tuple():
                return [self.value(each) for each in value]
            case _:
                return value


def secrets_of(settings: BaseModel) -> list[str]:
    """Return every secret in the settings, in clear; of a URL its password as well."""
    found: list[str] = []
    for _, value in settings:
        found += _within(value)
    return found


def _within(value: Any) -> list[str]:
    match value:
        case SecretStr():
            clear = value.get_secret_value()
            password = re.search(r"://[^/@]*:([^/@]+)@", clear)
            return [clear, password[1]] if password else [clear]
        case BaseModel():
            return secrets_of(value)
        case Mapping():
            return [secret for each in value.values() for secret in _within(each)]
        case list() | tuple():
            return [secret for each in value for secret in _within(each)]
        case _:
            return []


def _of(secret: str) -> set[str]:
    """Return the shapes in which a secret may stand in a text."""
    return {secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], quote(secret, safe="")}
