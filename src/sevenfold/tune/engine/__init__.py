"""The engine: why training is fast and lean, for any causal model of transformers, without changing its source.

Each part states the plain computation that it equals, and its test compares the two.
"""
