"""The anomaly resolver: finds what went wrong, mends what a rule can, and calls a person else."""

from storecrew.agents.resolver.agent import anomaly_resolver

__all__ = ["anomaly_resolver"]
