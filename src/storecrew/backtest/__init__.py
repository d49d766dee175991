"""The crew against a simulated shop or its own history, on a virtual clock."""
