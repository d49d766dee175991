"""The shipped test kit for authors of agents and stores."""
