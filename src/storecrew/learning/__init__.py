"""Learning: trains models, keeps and serves their versions, and evaluates their forecasts."""
