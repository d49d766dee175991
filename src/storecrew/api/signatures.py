"""Proof that a delivery comes from who it says: HMAC-SHA256 over exactly what was sent."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime

from storecrew.app.settings import WebhookSettings

SIGNATURES = ("x-signature", "x-shopify-hmac-sha256", "x-hub-signature-256")
"""Headers that may carry the signature, in hex or base64."""
TIMESTAMP = "x-signature-timestamp"
"""Unix seconds; where it is sent, the signature covers `<timestamp>.<body>`."""


def is_genuine(
    settings: WebhookSettings, headers: Mapping[str, str], body: bytes, now: datetime
) -> bool:
    """Tell whether the delivery was signed with the source's secret, new or old, and in time."""
    shown = _signature(headers)
    if shown is None:
        return False
    signed = body
    if (stamp := headers.get(TIMESTAMP)) is not None:
        if not _is_recent(stamp, settings.tolerance_seconds, now):
            return False
        signed = stamp.encode() + b"." + body
    secrets = [settings.secret, settings.previous_secret]
    right = [
        hmac.compare_digest(
            shown, hmac.digest(secret.get_secret_value().encode(), signed, "sha256")
        )
        for secret in secrets
        if secret is not None
    ]
    return any(right)


def _signature(headers: Mapping[str, str]) -> bytes | None:
    text = next((headers[name] for name in SIGNATURES if name in headers), "")
    text = text.strip().removeprefix("sha256=")
    try:
        return bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _is_recent(stamp: str, tolerance: int, now: datetime) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return tolerance == 0 or abs(now.timestamp() - int(stamp)) <= tolerance
