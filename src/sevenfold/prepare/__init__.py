"""Stage 1: rows from anywhere to a checked dataset with splits and a data report."""
