"""Forecasts demand and says what runs low."""

from storecrew.agents.forecasting.agent import inventory_forecasting

__all__ = ["inventory_forecasting"]
