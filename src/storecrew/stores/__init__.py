"""Adapters to the shop behind the store port."""
