"""Subjects of the shop: values, actions and events of each."""
