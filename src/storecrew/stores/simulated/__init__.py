"""A simulated shop with customers, rivals and suppliers, on a virtual clock."""
