"""The settings file of a new shop: what is its own, with every amount in its currency."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from storecrew.app.currency_scale import default_limits, scaled
from storecrew.domain.money import exponent

_HEAD = """# Settings of this shop: `storecrew config show` lists all there are.
# `storecrew config check` names what is wrong.
"""


def settings_file(currency: str, zone: str, name: str, data_dir: Path | None) -> str:
    """Return the text of `storecrew.yaml` for a shop of this currency, time zone and name."""
    content: dict[str, Any] = {}
    if data_dir is not None:
        content["orchestrator"] = {"data_dir": str(data_dir)}
    content["store"] = {"currency": currency}
    limits = default_limits(currency)
    content["policy"] = {
        "zone": zone,
        **{key: _number(value) for key, value in limits.items()},
    }
    content["mail"] = {"shop": name}
    return _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def first_product(currency: str) -> str:
    """Return a command that puts a first product, with amounts as the currency has them."""
    price, cost = (
        f"{scaled(Decimal(euros), currency):.{exponent(currency)}f}" for euros in ("9.90", "4.20")
    )
    return f'storecrew products set A --name "Product A" --price {price} --cost {cost}'


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
