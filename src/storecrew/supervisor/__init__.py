"""Services as processes: started, watched, held to their limits, started again, adopted."""

from storecrew.supervisor.dependency_order import dependency_order
from storecrew.supervisor.launch import LaunchEnvironment
from storecrew.supervisor.pipes import Pipes
from storecrew.supervisor.service_controller import ServiceController, SupervisorSettings
from storecrew.supervisor.supervisor import Supervisor
from storecrew.supervisor.units import bytes_of, share_of

__all__ = [
    "LaunchEnvironment",
    "Pipes",
    "ServiceController",
    "Supervisor",
    "SupervisorSettings",
    "bytes_of",
    "dependency_order",
    "share_of",
]
