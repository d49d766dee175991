from .bootstrap import ControlPlane as ControlPlane, open_plane as open_plane
from .control_plane import (
    Plane as Plane,
    ReadinessCheck as ReadinessCheck,
    RunSummary as RunSummary,
)
from .settings import Settings as Settings, load_settings as load_settings
