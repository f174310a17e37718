"""Stage 4: dataset, model and environment to a tuned model, by one loop with two axes: method and objective."""
