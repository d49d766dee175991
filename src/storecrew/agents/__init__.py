"""The crew: one folder each; none imports another."""
