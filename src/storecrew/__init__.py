"""A crew of agents that runs an online store, under its owner's control."""
