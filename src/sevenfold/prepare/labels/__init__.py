"""Labels: who says them, how far they agree, which are wrong, and how rows without one get theirs."""
