"""F1 of the words of an answer and of its reference."""

from __future__ import annotations

from sevenfold.evaluate.metrics.span_f1 import SpanF1


class TokenF1(SpanF1):
    """``2 common / (words said + words of the reference)``, averaged over rows; 0 to 1, higher is better.

    The F1 of SQuAD (Rajpurkar et al. 2016, arXiv 1606.05250), each word as often as both have it: lower case, without
    punctuation and English articles. ``span_f1`` is the same figure, by the name that it has for spans of a text.
    """
