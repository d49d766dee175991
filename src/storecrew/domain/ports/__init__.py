"""Ports: what the core needs from outside. Adapters implement these and inherit nothing."""
