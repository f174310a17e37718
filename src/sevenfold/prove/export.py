"""Proof 7, export: every exported form answers as the tuned model does, within the tolerance of its precision."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import ProofError
from sevenfold.prove.merge import largest_gap as widest_gap
from sevenfold.prove.merge import logprobs
from sevenfold.prove.proof import FEW, Case, Proof
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from sevenfold.deploy.service import Service

    NextLogProbs = Callable[[list[int]], dict[int, float]]
    Expected = tuple[list[int], list[float]]
    """A prompt, and the log-probabilities of the whole vocabulary behind it."""

TOLERANCE = {"float32": 1e-3, "f32": 0.02, "f16": 0.05, "float16": 0.05, "bfloat16": 0.2, "bf16": 0.2, "q8_0": 0.5}
"""Largest difference of a log-probability, nats, by the precision that a form's file states. llama.cpp keeps keys and
values in half precision, so its float32 form differs too."""
GGUF_TYPES = {0: "f32", 1: "f16", 7: "q8_0", 32: "bf16"}
"""Precision by ``general.file_type`` of a GGUF file."""
PEFT_CONFIG = "adapter_config.json"
"""What makes a folder an adapter of PEFT's format."""
CANDIDATES = 10
"""Likeliest next tokens that are compared at a position."""


def prove(case: Case) -> Proof:
    """Compare the likeliest next tokens of every form with the tuned network's, at the start and inside of replies.

    Where several adapters were exported, each is compared with the network as it answers for that task.
    """
    if case.tuned is None or case.service is None:
        raise ProofError("there is no export yet", next_step="sevenfold deploy RECIPE")
    expected = list(expectations(case))
    ratios, said = [0.0], []

    def compare(name: str, precision: str, next_log_probs: NextLogProbs, expected: list[Expected]) -> None:
        gap = max(largest_gap(next_log_probs(prompt), logprobs_V) for prompt, logprobs_V in expected)
        ratios.append(gap / TOLERANCE[precision])
        said.append(f"{name} ({precision}) {gap:.2g} of {TOLERANCE[precision]:g} nats")

    for name in case.service.exports:
        if name == "merged" and not case.tuned.chosen_objective().writes:
            precision, gap = precision_of(case.service.export(name)), gap_of_labels(case, case.service.export(name))
            ratios.append(gap / TOLERANCE[precision])
            said.append(f"labels of {name} ({precision}) {gap:.2g} of {TOLERANCE[precision]:g}")
            continue
        if name == "sentence_transformers":
            precision, gap = precision_of(case.service.export(name)), gap_of_vectors(case, case.service.export(name))
            ratios.append(gap / TOLERANCE[precision])
            said.append(f"vectors of {name} ({precision}) {gap:.2g} of {TOLERANCE[precision]:g}")
            continue
        with opened(name, case, case.service) as next_log_probs:
            compare(name, precision_of(case.service.export(name)), next_log_probs, expected)
    # The first is the one at the top, which is compared already.
    for task in case.tuned.tasks()[1:] if "adapter" in case.service.exports else ():
        folder = case.service.export("adapter") / task
        compare(f"adapter/{task}", "float32", adapter_log_probs(case, folder), list(expectations(case, task)))
    what = f"next tokens after {len(expected)} prompts against the tuned network: {', '.join(said)}"
    return Proof.of("export", max(ratios), 1.0, "times the tolerance", what)


def expectations(case: Case, task: str | None = None) -> Iterator[Expected]:
    """Prompts, and the tuned network's log-probabilities of the whole vocabulary behind each, in float32.

    A prompt ends where a reply begins, and once more in the reply's middle. With a task, its adapter answers.
    """
    import torch

    assert case.tuned is not None
    # Of answers that share a prompt the first: several in a row are no text that anybody would send.
    sequences = [sequence.texts()[0] for sequence in case.short_sequences()]
    network = case.tuned.network(case.model, torch.float32)
    if task is not None:
        case.tuned.chosen_method().select(network, task)
    for sequence, logprobs_TV in zip(sequences, logprobs(network, sequences), strict=True):
        start = next(index for index, weight in enumerate(sequence.weights) if weight > 0)
        ends = {max(1, start), max(1, (start + len(sequence)) // 2)}
        # What an encoder says of a token hangs on all that stand behind it.
        for end in {len(sequence)} if case.model.card.kind == "encoder" else ends:
            yield sequence.ids[:end], logprobs_TV[end - 1].tolist()


def gap_of_labels(case: Case, folder: Path) -> float:
    """The largest difference of a logit between transformers' own class, as it is exported, and network and head."""
    import torch
    import transformers

    assert case.tuned is not None
    network = case.tuned.network(case.model, torch.float32)
    own, whole = case.tuned.own(network, case.model), case.tuned.whole(network, case.model)
    if own is None or whole is None:
        with quiet():
            plain = case.model.auto_class().from_pretrained(folder, dtype=torch.float32).eval()
        texts = [text for sequence in case.short_sequences() for text in sequence.texts()]
        return widest_gap(logprobs(network, texts), logprobs(plain, texts))
    with quiet():
        opened: Any = getattr(transformers, whole.auto).from_pretrained(folder, dtype=torch.float32).eval()
    gaps = []
    for sequence in case.short_sequences():
        ids = torch.tensor([sequence.ids])
        with torch.inference_mode():
            expected_TK = own(network.base_model(ids).last_hidden_state[0])
            found = opened(ids)
        if "start_logits" in found:
            logits = torch.stack([found.start_logits[0], found.end_logits[0]], -1)
        else:
            logits = found.logits[0]
        gaps.append(float((logits - (expected_TK if logits.ndim == 2 else expected_TK[-1])).abs().max()))
    return max(gaps)


def gap_of_vectors(case: Case, folder: Path) -> float:
    """The largest difference of a figure of a text's vector between the folder's own files, read plainly, and ours."""
    import torch
    from torch.nn.functional import normalize
    from transformers import AutoModel, AutoTokenizer

    from sevenfold.tune.engine.forward import Forward

    assert case.tuned is not None
    objective = case.tuned.chosen_objective()
    texts = [row.conversation.reference() for row in case.rows(FEW)]
    ours = objective.vectors(
        Forward(case.tuned.network(case.model, torch.float32), torch.float32), case.encoder(), texts
    )
    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text(encoding="utf-8"))
    prefix = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"][
        "document"
    ]
    with quiet():
        network = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer, gaps = AutoTokenizer.from_pretrained(folder), []
    for text, vector in zip(texts, ours, strict=True):
        with torch.inference_mode():
            ids = torch.tensor([tokenizer(prefix + text)["input_ids"]])
            states_TD = network(ids).last_hidden_state[0]
        read = states_TD[0] if pooling["pooling_mode_cls_token"] else states_TD.mean(0)
        read = states_TD[-1] if pooling["pooling_mode_lasttoken"] else read
        if (folder / "2_Normalize").exists():
            read = normalize(read, dim=-1)
        gaps.append(float((read - vector).abs().max()))
    return max(gaps)


def largest_gap(found: dict[int, float], expected_V: list[float]) -> float:
    """The largest difference over the candidates that a form names."""
    return max(abs(logprob - expected_V[token]) for token, logprob in found.items())


def precision_of(folder: Path) -> str:
    """The precision that a form's own files state."""
    gguf_files = sorted(folder.glob("*.gguf"))
    if gguf_files:
        import gguf

        return GGUF_TYPES[gguf.GGUFReader(gguf_files[0]).fields["general.file_type"].contents()]
    config = folder / "config.json"
    if config.exists():
        return str(json.loads(config.read_text(encoding="utf-8")).get("dtype", "float32"))
    return "float32"


@contextmanager
def opened(name: str, case: Case, service: Service) -> Iterator[NextLogProbs]:
    """A form as its users open it: an adapter by PEFT, any other by the engine that reads it."""
    from sevenfold.generate.engine import Capacity
    from sevenfold.generate.engines import ENGINES

    if name == "adapter":
        yield adapter_log_probs(case, service.export(name))
        return
    backend = next((ENGINES.find(engine) for engine in ENGINES.names() if ENGINES.find(engine).form == name), None)
    if backend is None:
        raise ProofError(f"no engine opens the export {name!r}, so it cannot be proved", alternatives=ENGINES.names())
    capacity = Capacity(threads=case.environment.threads, at_once=1, context=service.context)
    with backend().open(service.export(name), service.encoder(), capacity) as engine:
        yield lambda prompt: engine.next_log_probs(prompt, CANDIDATES)


def adapter_log_probs(case: Case, folder: Path) -> NextLogProbs:
    """The adapter's files beside the base: by PEFT where it knows them, else by the method that wrote them."""
    import importlib.util

    import torch

    assert case.tuned is not None
    base = case.model.network(torch.float32)
    network: torch.nn.Module = base
    # PEFT puts its virtual tokens before a prompt itself.
    first = 0
    if importlib.util.find_spec("peft") and (folder / PEFT_CONFIG).exists():
        from sevenfold.tune import peft_bridge

        peft_bridge.require()
        from peft import PeftModel

        with quiet():
            network = PeftModel.from_pretrained(base, folder).eval()
        first = len(case.tuned.lead(case.model))
    else:
        case.tuned.chosen_method().load(base, folder)

    def next_log_probs(prompt: list[int]) -> dict[int, float]:
        with torch.inference_mode():
            logprobs_V = torch.log_softmax(network(torch.tensor([prompt[first:]])).logits[0, -1].float(), -1)
        values, tokens = logprobs_V.topk(CANDIDATES)
        return dict(zip(tokens.tolist(), values.tolist(), strict=True))

    return next_log_probs
