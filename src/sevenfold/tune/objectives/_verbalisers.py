"""The pattern and the words of labels that a model answers best with, before it is trained.

The log-probabilities of the whole vocabulary at the answer's place are computed once for each pattern and row; every
choice of words is then a matter of reading columns. Words are proposed by the training rows, and pattern and words are
judged on the validation rows where there are any, so that what is chosen is not what happens to fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from sevenfold.errors import DataError, SevenfoldError

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder
    from sevenfold.load.model import Model
    from sevenfold.prepare.dataset import Dataset
    from sevenfold.record import Entry
    from sevenfold.setup.environment import Environment
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.objectives.verbalize import Verbalize

TOGETHER = 1000
"""Choices of words that are all judged; more are judged label by label."""


@dataclass(frozen=True)
class Judged:
    """One choice.

    Args:
        accuracy: On the judging rows.
        certainty: The mean log-probability of the right label there, which decides between equals, nats.
        objective: With its pattern and words.
    """

    accuracy: float
    certainty: float
    objective: Verbalize

    @property
    def rank(self) -> tuple[float, float]:
        """The larger, the better."""
        return self.accuracy, self.certainty


def best(objective: Verbalize, model: Model, dataset: Dataset, environment: Environment, entry: Entry) -> Verbalize:
    """The objective with the pattern and the words that answer most rows right; says how each pattern did.

    Raises:
        DataError: No pattern has a word for every label.
    """
    from sevenfold.tune.engine.forward import Forward

    network = model.network(environment.dtype)
    network.to(environment.device)  # type: ignore[arg-type]
    forward, encoder = Forward(network, environment.dtype), model.encoder()
    judging = "validation" if dataset.counts.get("validation") else "train"
    found: list[Judged] = []
    refused: list[SevenfoldError] = []
    for pattern in objective.choices(encoder):
        asking = objective.changed(pattern=pattern)
        try:
            judged = max(judge(asking, forward, encoder, dataset, judging), key=lambda one: one.rank)
        except DataError as error:
            refused.append(error)
            continue
        found.append(judged)
        entry.note(f"pattern {pattern!r}: {judged.accuracy:.1%} of the {judging} rows before training")
    if not found:
        raise refused[0]
    chosen = max(found, key=lambda one: one.rank)
    said = ", ".join(f"{label}: {chosen.objective.word(label)}" for label in objective.labels)
    entry.note(f"labels are said with the pattern {chosen.objective.pattern!r} and the words {said}")
    entry.metric("pattern", chosen.objective.pattern)
    entry.metric("words", {label: chosen.objective.word(label) for label in objective.labels})
    return chosen.objective


def judge(asking: Verbalize, forward: Forward, encoder: Encoder, dataset: Dataset, judging: str) -> Iterator[Judged]:
    """Every choice of words for one pattern, judged."""
    train_RV, train_R = logprobs(asking, forward, encoder, dataset, "train")
    judged_RV, judged_R = (
        (train_RV, train_R) if judging == "train" else logprobs(asking, forward, encoder, dataset, judging)
    )
    candidates = proposed(asking, encoder, train_RV, train_R)
    for words in choices(asking, candidates, train_RV, train_R):
        scores_RK = judged_RV[:, [candidates[label][word] for label, word in words.items()]].log_softmax(-1)
        right_R = scores_RK.argmax(-1) == judged_R
        certainty = float(scores_RK.gather(-1, judged_R[:, None]).mean())
        yield Judged(float(right_R.float().mean()), certainty, asking.changed(words=words, search_words=0))


def logprobs(
    asking: Verbalize, forward: Forward, encoder: Encoder, dataset: Dataset, split: str
) -> tuple[Tensor, Tensor]:
    """What the model says at the answer's place of some rows of a split, ``R x V``, nats, and the label's number."""
    import torch

    from sevenfold.tune.objectives._labels import read

    sequences = [one for row in dataset.head(split, asking.search_rows) for one in asking.sequences(row, encoder)]
    said = []
    with torch.inference_mode():
        for sequence in sequences:
            states_1D, _ = read(forward, [sequence])
            with forward.autocast():
                said.append(forward.head.logits(states_1D).float().log_softmax(-1).cpu())
    labels = [int(sequence.columns["label"][0]) for sequence in sequences]
    return torch.cat(said), torch.tensor(labels)


def proposed(asking: Verbalize, encoder: Encoder, said_RV: Tensor, labels_R: Tensor) -> dict[str, dict[str, int]]:
    """For each label the words to choose from, with their tokens: its own, and those that speak most for it.

    A token speaks for a label by its mean log-probability in rows of the label less that in the others.

    Raises:
        DataError: A label has no word of one token, and none is looked for.
    """
    from sevenfold.tune.objectives.verbalize import word_id

    found: dict[str, dict[str, int]] = {}
    for number, label in enumerate(asking.labels):
        own: dict[str, int] = {}
        try:
            own[asking.word(label)] = word_id(asking.pattern, asking.word(label), encoder)
        except DataError:
            if not asking.search_words:
                raise
        mine_R = labels_R == number
        if asking.search_words and mine_R.any() and not mine_R.all():
            gains_V = said_RV[mine_R].mean(0) - said_RV[~mine_R].mean(0)
            # A word that is likely nowhere tells nothing, however much less likely it is elsewhere.
            likely = said_RV.mean(0).topk(min(2000, said_RV.shape[1])).indices
            order = likely[gains_V[likely].argsort(descending=True)].tolist()
            own |= readable(asking.pattern, order, encoder, asking.search_words)
        if not own:
            raise DataError(
                f"no word of one token was found for the label {label!r}", where="tune.objective: verbalize"
            )
        found[label] = own
    return found


def readable(pattern: str, order: list[int], encoder: Encoder, count: int) -> dict[str, int]:
    """The first tokens of an order that are words, and are read back as themselves in the answer's place."""
    from sevenfold.tune.objectives.verbalize import word_id

    found: dict[str, int] = {}
    for token in order:
        word = encoder.decode([token], skip_special=True).strip()
        if len(word) < 2 or not word.isalpha():
            continue
        try:
            if word_id(pattern, word, encoder) == token:
                found[word] = token
        except DataError:
            continue
        if len(found) == count:
            break
    return found


def choices(
    asking: Verbalize, candidates: dict[str, dict[str, int]], said_RV: Tensor, labels_R: Tensor
) -> Iterator[dict[str, str]]:
    """Choices of one word a label, all different: every one where they are few, else improved label by label."""
    total = 1
    for words in candidates.values():
        total *= len(words)
    if total <= TOGETHER:
        for chosen in product(*candidates.values()):
            some = dict(zip(candidates, chosen, strict=True))
            if len({candidates[label][word] for label, word in some.items()}) == len(some):
                yield some
        return
    current = {label: next(iter(words)) for label, words in candidates.items()}
    for label, words in candidates.items():
        tries = [{**current, label: word} for word in words if word not in current.values() or word == current[label]]
        current = max(tries, key=lambda one: right(one, candidates, said_RV, labels_R))
    yield current


def right(words: dict[str, str], candidates: dict[str, dict[str, int]], said_RV: Tensor, labels_R: Tensor) -> float:
    """The share of rows whose likeliest word is the label's."""
    scores_RK = said_RV[:, [candidates[label][word] for label, word in words.items()]]
    return float((scores_RK.argmax(-1) == labels_R).float().mean())
