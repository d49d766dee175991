"""What goes wrong in a simulation, decided by its seed: crashes, and a shop that misbehaves."""

from dataclasses import dataclass, field
from random import Random


class Crash(BaseException):
    """The process died here. Not an `Exception`: nothing may catch it and go on."""


@dataclass
class Faults:
    """Decides at each point of the plane whether it fails there."""

    random: Random
    crash_rate: float = 0.004
    """Chance of dying at one point; a run of an agent passes a few dozen of them."""
    trouble_rate: float = 0.05
    """Chance that a call to the shop misbehaves."""
    active: bool = True
    crashes: int = field(default=0, init=False)
    troubles: int = field(default=0, init=False)

    def crash_point(self, name: str) -> None:
        """Die here, sometimes. Before a commit the work is lost, after it only the answer is."""
        if self.active and self.random.random() < self.crash_rate:
            self.crashes += 1
            raise Crash(name)

    def trouble(self) -> bool:
        """Tell whether the shop misbehaves this time."""
        if not self.active or self.random.random() >= self.trouble_rate:
            return False
        self.troubles += 1
        return True
