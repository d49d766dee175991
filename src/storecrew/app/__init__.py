"""Settings and assembly: the only place that reads the environment and knows every adapter."""

from storecrew.app.bootstrap import ControlPlane, open_plane
from storecrew.app.control_plane import Plane, ReadinessCheck, RunSummary
from storecrew.app.settings import Settings, load_settings

__all__ = [
    "ControlPlane",
    "Plane",
    "ReadinessCheck",
    "RunSummary",
    "Settings",
    "load_settings",
    "open_plane",
]
