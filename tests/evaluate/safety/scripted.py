"""An engine that follows a rule, so that what a check finds can be planted."""

from __future__ import annotations

from types import SimpleNamespace

from sevenfold.console import Console
from sevenfold.evaluate.jsonl import Kept
from sevenfold.evaluate.subject import Subject
from sevenfold.generate.engine import Answer, Engine, Score


class Scripted(Engine):
    """Says what ``says`` gives of the prompt's text, and finds a reply as unlikely as ``dislikes`` gives."""

    name = "scripted"
    context = 100_000

    def __init__(self, encoder, says=lambda prompt: "", dislikes=lambda prompt, reply: 1.0):
        self.encoder, self.says, self.dislikes = encoder, says, dislikes

    def generate(self, prompts, sampling):
        texts = [self.says(self.encoder.decode(one)) for one in prompts]
        return [Answer(text, [], "stop", 1, 1, 0.0) for text in texts]

    def stream(self, prompt, sampling):
        yield from self.generate([prompt], sampling)

    def next_log_probs(self, prompt, count):
        return {}

    def score(self, sequences):
        return [Score(self.dislikes(*self.parts(one)) * one.supervised, one.supervised, []) for one in sequences]

    def parts(self, sequence):
        start = next(place for place, weight in enumerate(sequence.weights) if weight)
        reply = self.encoder.decode(sequence.ids[start:], skip_special=True).strip()
        return self.encoder.decode(sequence.ids[:start]), reply


def subject(tmp_path, engine, questions=(), dataset=None):
    """The engine as a check sees it, with nothing kept."""
    number = len(list(tmp_path.glob("kept*")))
    kept = Kept(tmp_path / f"kept{number}.jsonl")
    kept.path.touch()
    rows = dataset or SimpleNamespace(counts={}, rows=lambda split: iter(()))
    return Subject("base", "check", engine, (), kept, 8, Console(quiet=True), questions, rows, tmp_path, 17)


def means(examined):
    """Each figure's mean over the items that it is about."""
    found = {}
    for name, values in examined.values.items():
        kept = [one for one in values if one == one]
        found[name] = sum(kept) / len(kept) if kept else None
    return found
