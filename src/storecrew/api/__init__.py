"""The HTTP door: routes over the plane and the store, and what guards them."""
