"""Several adapters on one base: rows routed to their tasks, adapters merged, and what a merge inherits.

This room is part of ``tune``: what is merged is what tuning gave, and what comes out is a tuned adapter again. It
imports the engine's rooms and the types of earlier stages only. Merging itself needs no base model: it reads and
writes files in PEFT's LoRA format.
"""
