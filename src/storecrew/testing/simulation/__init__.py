"""The whole plane on a virtual clock with faults of every kind: one seed, one history."""
