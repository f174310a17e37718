"""How a model answers: engines behind one interface, for rollouts, evaluation and the service alike."""
