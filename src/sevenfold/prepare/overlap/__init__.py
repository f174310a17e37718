"""Text that rows share: near-duplicates among them, and training rows that meet what is held out."""
