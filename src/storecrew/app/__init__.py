"""Settings and assembly: the only place that reads the environment and knows every adapter."""

from storecrew.app.plane import Check, Journal, Plane, Summary
from storecrew.app.settings import Settings, load_settings

__all__ = ["Check", "Journal", "Plane", "Settings", "Summary", "load_settings"]
