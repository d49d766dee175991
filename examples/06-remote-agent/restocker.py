"""An agent in a process of its own: it asks for more of what runs low, one delivery's worth.

    storecrew up                                  # in one terminal
    python examples/06-remote-agent/restocker.py  # in another

The plane calls it when stock runs low. Addresses of this machine must be allowed first, as they
are to nobody else: `remote_agents: {allow_private: true}` in `storecrew.yaml`. Where the plane
has a key, an admin's stands in STORECREW_KEY.
"""

import argparse
import os

from storecrew import (
    Context,
    CreatePurchaseOrder,
    Proposal,
    Proposals,
    StockRanLow,
    agent,
    serve,
)


@agent(
    on=StockRanLow,
    allowed_actions=[CreatePurchaseOrder],
    capabilities=["purchasing"],
    name="restocker",
)
async def restocker(event: StockRanLow, ctx: Context) -> Proposals:
    """Reorder what runs low, enough for four weeks."""
    product = await ctx.store.product(event.sku)
    needed = round(event.daily_demand * 28) - event.position
    if needed > 0:
        yield Proposal(
            action=CreatePurchaseOrder(sku=product.sku, quantity=needed, warehouse=event.warehouse),
            reason=f"{event.position} units are left, and {event.daily_demand:g} sell a day.",
            evidence={"position": event.position, "daily_demand": event.daily_demand},
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Put the agent on duty until Ctrl-C.")
    parser.add_argument("--plane", default="http://127.0.0.1:8000", help="where storecrew listens")
    parser.add_argument("--port", type=int, default=9000, help="where the agent listens")
    given = parser.parse_args()
    key = os.environ.get("STORECREW_KEY")
    serve(restocker, plane=given.plane, port=given.port, api_key=key)
