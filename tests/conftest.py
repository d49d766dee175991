"""How properties are tried: as long as it takes, because a busy machine proves nothing wrong.

A change is judged by the same examples every time; `make properties` looks for new ones.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "searching", settings.get_profile("patient"), derandomize=False, max_examples=2000
)
settings.load_profile("patient")
