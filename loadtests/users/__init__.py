"""Who uses a market: those who send, and those who read. Each is a Locust user."""
