"""Actions and recorded changes in one line each."""

import json
from typing import Any

_SUBJECTS = ("sku", "order_id", "purchase_id", "customer")
_WORDS = {"price": "at {}", "expected_price": "(was {})", "quantity": "× {}", "warehouse": "in {}"}


def describe(action: object) -> str:
    """Return an action or a recorded change in one line: its kind, its subject, the rest."""
    from storecrew.domain.codec import encode  # costs what `--help` need not pay

    fields = {key: value for key, value in encode(action).items() if value not in (None, "")}
    words = [fields.pop("type", "")]
    if subject := next((key for key in _SUBJECTS if key in fields), None):
        words.append(str(fields.pop(subject)))
    words += [_WORDS.get(key, key + "={}").format(_short(value)) for key, value in fields.items()]
    return " ".join(words)


def _short(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
