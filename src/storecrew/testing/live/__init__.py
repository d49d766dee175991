"""The product as a real process: started, spoken to over HTTP, killed and audited."""
