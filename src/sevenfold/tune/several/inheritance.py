"""The check behind a merge: every parent and the merged adapter answer every parent's prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.tune.several import behaviour
from sevenfold.tune.several.beside import answering
from sevenfold.tune.several.files import LoraFile

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from sevenfold.chat.encoder import Encoder
    from sevenfold.generate.engine import Answer

MERGED = "merged"


@dataclass(frozen=True)
class Asked:
    """What everyone answered to one parent's prompts.

    Args:
        owner: The parent.
        prompts: The prompts as text.
        answers: Each one's answers, by name; the merged adapter's under ``merged``.
        findings: What the merged adapter does otherwise than the owner.
    """

    owner: str
    prompts: list[str]
    answers: dict[str, list[Answer]]
    findings: list[behaviour.Finding]

    def as_json(self) -> dict[str, Any]:
        """Figures, prompts and answers, side by side."""
        rows = [
            {"prompt": prompt, "answers": {name: given[index].text for name, given in self.answers.items()}}
            for index, prompt in enumerate(self.prompts)
        ]
        return {"prompts_of": self.owner, "findings": [asdict(finding) for finding in self.findings], "rows": rows}


def check(
    network: PreTrainedModel,
    encoder: Encoder,
    parents: Mapping[str, Path],
    merged: Path,
    prompts: Mapping[str, Sequence[list[int]]],
    max_new_tokens: int = 64,
) -> list[Asked]:
    """Let all answer greedily and compare.

    Args:
        network: The base.
        encoder: Its tokenizer and template.
        parents: The adapters by name.
        merged: The merged adapter.
        prompts: Each parent's prompts as ids.
        max_new_tokens: Most tokens of an answer.

    Returns:
        One for each parent that has prompts.
    """
    from sevenfold.generate.engine import Sampling
    from sevenfold.generate.engines.transformers import TransformersEngine

    flat = [ids for given in prompts.values() for ids in given]
    answers: dict[str, list[Answer]] = {}
    for name, folder in {**parents, MERGED: merged}.items():
        with answering(network, LoraFile(folder)):
            engine = TransformersEngine(network, encoder)
            answers[name] = engine.generate(flat, Sampling(max_new_tokens=max_new_tokens))
    found, start = [], 0
    for owner, given in prompts.items():
        own = {name: all_of[start : start + len(given)] for name, all_of in answers.items()}
        start += len(given)
        of_parents = {name: own[name] for name in parents}
        findings = behaviour.compare(owner, own[MERGED], of_parents)
        found.append(Asked(owner, [encoder.decode(ids) for ids in given], own, findings))
    return found


def warnings(found: Sequence[Asked]) -> list[str]:
    """A sentence for every difference."""
    return [finding.warning() for asked in found for finding in asked.findings if finding.differs]
