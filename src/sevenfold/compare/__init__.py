"""Comparing: one recipe, some axes, and which of the variants to take.

A comparison is a YAML file::

    name: methods
    recipe: demo.yaml                       # the common part; a path beside this file
    set: {tune.steps: 80}                   # changes of it, for all variants
    vary:                                   # the axes; several make their product
      tune.method:
        - lora
        - {layers: {first: 2, last: 2}}
        - {value: full, over: {tune.learning_rate: [1.0e-5, 1.0e-4]}}
    search:                                 # what is chosen for each variant by itself
      over: {tune.learning_rate: [1.0e-4, 3.0e-4, 1.0e-3]}
      steps: 20

Each combination of the axes' values is a variant, an ordinary run in ``runs/NAME/VARIANT``: the command that the page
shows makes the same one by hand. Before it, each candidate of the search is trained for a few steps in
``runs/NAME/search/VARIANT/CANDIDATE``, and the one with the lowest validation loss is taken. Each training is a
process of its own, so that its peak of memory is its own and its end, however bad, is not the comparison's. What is
done is reused, by the identities of the pipeline; prepared rows are shared between the runs, tokens and what the base
model answered come from the cache.

All variants answer the same held-out rows, so they are compared pair by pair. ``comparison.json`` holds every figure,
``comparison.html`` shows them: which variant is best, which are cheaper and not told from it by these rows, and what
would change that.
"""
