"""The seven proofs: equalities that hold on the user's own model, data and template, or stop the run."""
