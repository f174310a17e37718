"""Public and own benchmarks through lm-eval: its tasks and its scoring, our engine and our kept results."""
