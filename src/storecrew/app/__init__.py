"""Settings and assembly: the only place that reads the environment and knows every adapter."""

from storecrew.app.assembly import ControlPlane, open_plane
from storecrew.app.plane import Check, Plane, Summary
from storecrew.app.settings import Settings, load_settings

__all__ = [
    "Check",
    "ControlPlane",
    "Plane",
    "Settings",
    "Summary",
    "load_settings",
    "open_plane",
]
