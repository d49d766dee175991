"""A path that leads to each route, and the routes that take a body."""

from storecrew.api.roles import ROUTES

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
