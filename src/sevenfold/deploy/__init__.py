"""Stage 6: a tuned model to exports and a running service."""
