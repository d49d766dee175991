"""Every route with the role it needs, a path that leads to it, and those that take a body."""

from unittest.mock import MagicMock

from in_memory_api import settings_of

from storecrew.api.application import create_app
from storecrew.api.roles import role_of
from storecrew.api.routing import every_route

EVERY_ROUTE = every_route(create_app(MagicMock(), settings_of()))
ROUTES = {
    f"{method} {route.path}": role_of(route.endpoint)
    for route in EVERY_ROUTE
    for method in route.methods or ()
}
"""Method and path, as the route was declared, to the least role."""

SAMPLES = {
    "order_id": "1",
    "source": "shop",
    "question": "product",
    "sku": "Product A",
    "product": "Product A",
    "proposal_id": "p@1/0",
    "skill": "demand",
    "number": "1",
}
"""What stands for a part of a path where not every word will do."""


def filled(path: str) -> str:
    """Return the declared path with something in the place of each name."""
    parts = []
    for part in path.split("/"):
        name = part.strip("{}").partition(":")[0]
        parts.append(SAMPLES.get(name, "none") if part.startswith("{") else part)
    return "/".join(parts)


WRITES = [
    f"{method} {filled(path)}"
    for method, _, path in (route.partition(" ") for route in ROUTES)
    if method in ("POST", "PUT") and not path.startswith("/unsubscribe/")  # it takes a form
]
"""Every route that takes a JSON body, as `METHOD /path`."""
