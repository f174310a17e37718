"""The parts of ``benchmarks/methods.py``."""
