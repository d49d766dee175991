"""A seeded car-accessories shop on a virtual clock, for demos, backtests and simulation."""

from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.simulated.shop import SimulatedShop
from storecrew.stores.simulated.tally import Totals

__all__ = ["SimulatedShop", "Totals", "VirtualClock"]
