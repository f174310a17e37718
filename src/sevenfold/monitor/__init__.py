"""Stage 7: the service's traffic to observations and alerts."""
