"""What the commands do that is not a stage: the outcome of a run, the plan, the server."""
