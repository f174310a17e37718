"""A classifier of our own: what the recipe of a `classify` task left behind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import ModelError, first_line
from sevenfold.guard import Guard, Judgement, OpenGuard, Side, judged_text
from sevenfold.guard.guards.linear import by_labels
from sevenfold.guard.head import SAFE
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PLACES = ("", "6-deploy/merged", "merged", "exports/merged")
"""Where a classifier lies in its own folder, in a run, in a deploy stage's folder."""


class Classifier(Guard):
    """A sequence classifier of transformers: a run of the objective `classify`, its export `merged`, or another's."""

    main = "model"
    model: str = Field(min_length=1, description="The folder of a run, of its export merged, or of a classifier.")
    safe: str = Field(SAFE, description="The label of what may pass; every other one is a category.")
    ask: str | None = Field(
        None, description="What stood above each text in training (the format's ask); not given: as the run says."
    )
    threshold: float = Field(0.5, ge=0, le=1, description="The probability of unsafe from which a text is unsafe.")
    batch_size: int = Field(8, ge=1, description="Texts that are read at once.")
    max_length: int = Field(512, ge=8, description="Tokens of a text that are read; its end is kept.")

    def open(self) -> OpenClassifier:
        """The classifier with its tokenizer.

        Raises:
            ModelError: It is not there, is no classifier, or has no label of what may pass.
        """
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        folder = place_of(Path(self.model).expanduser())
        try:
            with quiet():
                network = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=False)
                tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ModelError(f"the classifier cannot be opened: {first_line(error)}", where=str(folder)) from None
        labels = [str(network.config.id2label[number]) for number in range(network.config.num_labels)]
        if self.safe not in labels:
            raise ModelError(
                f"the classifier has no label {self.safe!r}",
                value=self.safe,
                where=str(folder),
                alternatives=labels,
                next_step="name the label of what may pass: guard: {classifier: {safe: ...}}",
            )
        ask = asked_in(Path(self.model).expanduser()) if self.ask is None else self.ask
        return OpenClassifier(self, network.eval(), tokenizer, labels, ask)


class OpenClassifier(OpenGuard):
    """A classifier that is ready.

    Args:
        guard: How it is read.
        network: The classifier.
        tokenizer: Its tokenizer; where it has a chat template, texts are put as the user's message, as in training.
        labels: Names in the order of the logits.
        ask: What stands above each text.
    """

    def __init__(
        self,
        guard: Classifier,
        network: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        ask: str,
    ) -> None:
        self.guard, self.network, self.tokenizer, self.labels, self.ask = guard, network, tokenizer, labels, ask

    def judge(self, conversations: Sequence[Conversation], side: Side = "prompt") -> list[Judgement]:
        """The judged texts in batches; several labels at once count as unsafe by the likeliest that is not safe."""
        import torch

        found: list[Judgement] = []
        texts = [self.text(judged_text(one, side)) for one in conversations]
        for start in range(0, len(texts), self.guard.batch_size):
            with torch.inference_mode():
                logits = self.network(**self.batch(texts[start : start + self.guard.batch_size])).logits.double()
            for row in torch.softmax(logits, dim=-1).tolist():
                shares = dict(zip(self.labels, row, strict=True))
                found.append(by_labels(shares, self.guard.threshold, self.guard.safe))
        return found

    def text(self, said: str) -> str:
        """A text as training showed it."""
        whole = f"{self.ask}\n\n{said}" if self.ask else said
        if not self.tokenizer.chat_template:
            return whole
        turns = [Message("user", whole).as_dict()]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def batch(self, texts: Sequence[str]) -> dict[str, Any]:
        """Tokens of some texts, padded; a template writes its own special tokens."""
        tokenizer = self.tokenizer
        tokenizer.truncation_side = "left" if tokenizer.chat_template else "right"
        return dict(
            tokenizer(
                list(texts),
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=self.guard.max_length,
                add_special_tokens=not tokenizer.chat_template,
                return_token_type_ids=False,
            )
        )


def place_of(folder: Path) -> Path:
    """Where the classifier lies in a folder.

    Raises:
        ModelError: Nowhere.
    """
    for place in PLACES:
        if (folder / place / "config.json").is_file():
            return folder / place
    raise ModelError(
        f"there is no classifier in {str(folder)!r}",
        where=str(folder),
        expected=f"config.json in it, or in {PLACES[1]}",
        next_step="put merged into deploy.export of the run's recipe, and run it",
    )


def asked_in(folder: Path) -> str:
    """What the recipe of a run put above each text; nothing where there is no record of it."""
    for parent in (folder, *list(folder.resolve().parents)[:3]):
        record = parent / "record.json"
        if record.is_file():
            try:
                found = json.loads(record.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                return ""
            return first_ask(found)
    return ""


def first_ask(found: Any) -> str:
    """The first ``ask`` of a format ``labelled`` anywhere in a record."""
    if isinstance(found, dict):
        labelled = found.get("labelled")
        if isinstance(labelled, dict) and isinstance(labelled.get("ask"), str):
            return str(labelled["ask"])
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return next((said for one in inner if (said := first_ask(one))), "")
