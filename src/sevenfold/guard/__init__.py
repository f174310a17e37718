"""Guards: what may go into a model and out of it, behind one interface."""
