"""How the rows fit a tokenizer: their lengths in tokens, what would be cut, how they pack, and what a word costs.

Used by the audit ``tokens``, for a tokenizer that lies in a folder, and by the pipeline as soon as rows and model are
both there, which writes ``tokens.json`` into the run's folder before anything is trained.
"""

from sevenfold.prepare.fit.measure import fit

__all__ = ["fit"]
