"""Monitoring: metrics, and checks that the plane works as it should."""
