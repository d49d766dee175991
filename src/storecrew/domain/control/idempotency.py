"""Responses kept so that a repeated request gets the first answer."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StoredResponse:
    """What was answered to a request."""

    fingerprint: str
    """Hash of the request: another one under the same key is refused."""
    status: int
    body: str
