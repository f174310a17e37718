"""How surprised the model is by what it is asked."""

from __future__ import annotations

from typing import ClassVar, Literal

from sevenfold.evaluate.metrics.perplexity import Perplexity


class PromptPerplexity(Perplexity):
    """``exp`` of the mean negative log-likelihood per token of the prompts; 1 to infinity, lower is better.

    Low: the model knows prompts of this kind, and does better behind them (Gonen et al. 2023, "Demystifying Prompts in
    Language Models via Perplexity Estimation", arXiv 2212.04037). All that a server would send is read, the template's
    marks included; the first token, which nothing foretells, is not counted. Tuning on replies alone is free to move
    it: it says how the model meets the prompts, not how it answers them.
    """

    of: ClassVar[Literal["reference", "prompt", "answer"]] = "prompt"
