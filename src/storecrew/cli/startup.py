"""Starting sooner."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let the collector of garbage rest while a command is brought into being.

    Nearly all that imports make stays, and the collector would walk through it again and again:
    that took a quarter of the time. What serves for long wakes it when it is ready.
    """
    was_awake = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_awake:
            gc.enable()
