"""What /metrics shows to Prometheus."""
