"""Actions and recorded changes in one line each."""

import json
from typing import Any

_SUBJECTS = ("sku", "order_id", "purchase_id", "customer")
_WORDS = {"price": "at {}", "expected_price": "(was {})", "quantity": "× {}", "warehouse": "in {}"}


_LONGEST = 60
"""Characters of a value that a list shows."""


def describe(action: object, *, whole: bool = False) -> str:
    """Return an action or a recorded change in one line: its kind, its subject, the rest.

    Long values, such as the text of a mail, are cut unless the `whole` is asked for.
    """
    from storecrew.domain.codec import encode  # costs what `--help` need not pay

    fields = {key: value for key, value in encode(action).items() if value not in (None, "")}
    words = [fields.pop("type", "")]
    if subject := next((key for key in _SUBJECTS if key in fields), None):
        words.append(str(fields.pop(subject)))
    for key, value in fields.items():
        text = _text(value)
        if not whole:
            text = " ".join(text.split())
            text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        words.append(_WORDS.get(key, key + "={}").format(text))
    return " ".join(words)


def _text(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
