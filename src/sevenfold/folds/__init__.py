"""Cross-validation: one recipe, as many runs as folds, and every row scored once by a model that never saw it.

Each fold is an ordinary run in ``runs/NAME-folds-K/fold-I`` (``runs/NAME-leave-one-out/left-I``). What is done is
reused by the identities of the pipeline, and a fold that was killed goes on from its last checkpoint. The model is read
once and linked into the others; rows are prepared anew, because each fold keeps others for training. The proofs run in
the first fold: the weights of the others are kept by nobody.

``folds.json`` holds every figure, ``folds.html`` shows them.
"""
