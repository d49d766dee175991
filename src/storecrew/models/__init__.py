"""Forecasting and the like: numbers in, numbers out, no I/O."""
