"""What people say: two answers to a held-out row side by side, blind, and what their judgements are worth."""
