"""How a model answers: engines behind one interface."""
