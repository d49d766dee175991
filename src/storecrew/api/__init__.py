"""The HTTP API: routes over the control plane and the store, and the middleware before them."""
