"""The HTTP door: order desk, approvals, runs, audit and probes."""
