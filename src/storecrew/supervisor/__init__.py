"""Services as processes: started, watched, held to their limits, started again, adopted."""

from storecrew.supervisor.attendant import Attendant, SupervisorSettings
from storecrew.supervisor.launch import Surroundings
from storecrew.supervisor.order import start_order
from storecrew.supervisor.pipes import Pipes
from storecrew.supervisor.sizes import bytes_of, share_of
from storecrew.supervisor.supervisor import Supervisor

__all__ = [
    "Attendant",
    "Pipes",
    "Supervisor",
    "SupervisorSettings",
    "Surroundings",
    "bytes_of",
    "share_of",
    "start_order",
]
