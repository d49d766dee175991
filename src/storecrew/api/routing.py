"""The routes of the application, also those of the routers within it."""

from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute


@lru_cache(maxsize=8)
def every_route(app: FastAPI) -> tuple[APIRoute, ...]:
    """Return every HTTP route, in the order in which they are tried."""
    return tuple(_within(app.routes))


def allowed_methods(app: FastAPI, path: str) -> list[str]:
    """Return the methods of the route that this path leads to first, whatever was asked."""
    matching = [route for route in every_route(app) if route.path_regex.match(path)]
    same = [route for route in matching if route.path == matching[0].path]
    return sorted({method for route in same for method in route.methods or ()})


def _within(routes: Any) -> list[APIRoute]:
    found: list[APIRoute] = []
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        if inner is not None:
            found += _within(inner)
        elif isinstance(route, APIRoute):
            found.append(route)
    return found
