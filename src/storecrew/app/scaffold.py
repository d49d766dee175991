"""A new agent to start from: a module that works, its test, and the line that puts it on duty."""

import re
from dataclasses import dataclass
from pathlib import Path

from storecrew.domain.errors import InvalidInput

_NAME = re.compile(r"[a-z][a-z0-9_]{1,49}")

_AGENT = '''"""Say in a line what it does for the shop. This one prices what sells out."""

from decimal import Decimal

from storecrew import Context, Proposal, Proposals, SetPrice, StockRanLow, agent


@agent(on=StockRanLow, allowed_actions=[SetPrice], capabilities=["pricing"])
async def {name}(event: StockRanLow, ctx: Context) -> Proposals:
    """Raise the price by a twentieth of what lasts less than three days."""
    product = await ctx.store.product(event.sku)
    days = event.position / event.daily_demand
    if days < 3:
        yield Proposal(
            action=SetPrice(
                sku=product.sku,
                price=(product.price * Decimal("1.05")).rounded(),
                expected_price=product.price,
            ),
            reason=f"{{days:.1f}} days of cover are left.",
            evidence={{"units": event.position, "daily_demand": event.daily_demand}},
        )
'''
_TEST = '''"""What the agent proposes, and when it keeps still."""

import asyncio

import pytest
from {name} import {name}

from storecrew import FakeStore, Money, Product, StockRanLow, run_agent

MUG = Product(sku="mug", name="Mug", price=Money.of("10.00", "EUR"))


@pytest.mark.parametrize(("units", "prices"), [(4, ["10.50"]), (40, [])])
def test_what_sells_out_becomes_dearer(units: int, prices: list[str]) -> None:
    low = StockRanLow(
        sku="mug", warehouse="main", position=units, reorder_point=50, daily_demand=2.0
    )
    proposals = asyncio.run(run_agent({name}, low, FakeStore(product_list=[MUG])))
    assert [str(one.action.price.amount) for one in proposals] == prices
'''


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """What was written, and what to do with it."""

    module: Path
    test: Path
    settings: str
    """Lines for `storecrew.yaml` that put it on duty."""


def new_agent(name: str, folder: Path) -> Scaffold:
    """Write an agent of this name and its test into the folder.

    Raises `InvalidInput` for a name that is no Python name in small letters, and where a file
    stands there already: nothing is ever overwritten.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput("name", f"{name!r} must be small letters, digits and _, 2 to 50 of them")
    module, test = folder / f"{name}.py", folder / f"test_{name}.py"
    for file in (module, test):
        if file.exists():
            raise InvalidInput("name", f"{file} is there already; choose another name or folder")
    folder.mkdir(parents=True, exist_ok=True)
    module.write_text(_AGENT.format(name=name), "utf-8")
    test.write_text(_TEST.format(name=name), "utf-8")
    settings = f"agents:\n  {name}:\n    source: {name}:{name}\n"
    return Scaffold(module=module, test=test, settings=settings)
