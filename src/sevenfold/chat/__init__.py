"""Conversations, templates and masks: the one place where words become tokens, in training, scoring and serving."""
