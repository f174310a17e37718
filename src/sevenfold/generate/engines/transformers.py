"""The reference: `generate` of transformers; every architecture, exact adapters, the fallback of the service."""

from __future__ import annotations

import contextlib
import copy
import math
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Adapters, Answer, Backend, Capacity, Engine, Sampling, Score
from sevenfold.generate.fitting import Fit, fit, pads
from sevenfold.generate.memory import remembering
from sevenfold.generate.pieces import Pieces, text_of
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    import torch
    from transformers import GenerationConfig, PreTrainedModel


class Transformers(Backend):
    """Plain transformers on the merged weights."""

    form: ClassVar[str] = "merged"

    batch_size: int = Field(8, ge=1, description="Prompts of a padded batch, where the network needs one.")

    def open(self, path: Path, encoder: Encoder, capacity: Capacity) -> TransformersEngine:
        """The network of a folder in Hugging Face's layout, in the type that its weights have."""
        import torch
        from transformers import AutoModelForCausalLM

        torch.set_num_threads(capacity.threads)
        try:
            with quiet():
                network = AutoModelForCausalLM.from_pretrained(path, dtype="auto", trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise ModelError(f"cannot open the exported model: {error}", where=str(path)) from error
        engine = TransformersEngine(network.eval(), encoder, self.batch_size)
        engine.context = min(engine.context, capacity.context)
        return engine


class TransformersEngine(Engine):
    """A built network that answers. Calls from several threads wait for each other.

    Many prompts are answered together, by :mod:`~sevenfold.generate.writing` where the network fits, else in padded
    batches by transformers. Greedy answers are deterministic; what is computed beside a text can move the last bits of
    a logit, so ties within the rounding may fall otherwise than alone. Neither the global random generators nor the
    network's mode are changed for the caller.

    Args:
        network: A causal language model of transformers, with or without an adapter in place.
        encoder: Its tokenizer, template and stop tokens.
        batch_size: Prompts of a padded batch, where the network does not fit.
        adapters: The adapters that can be chosen, where the network holds several.
    """

    name: ClassVar[str] = "transformers"

    def __init__(
        self, network: PreTrainedModel, encoder: Encoder, batch_size: int = 8, adapters: Adapters | None = None
    ) -> None:
        self.network, self.encoder, self.batch_size = network, encoder, batch_size
        self.adapters, self.adapter = adapters, adapters.answers if adapters else ""
        self.context = int(getattr(network.config.get_text_config(), "max_position_embeddings", 1 << 30))
        self.lock = threading.Lock()

    @property
    def tasks(self) -> Mapping[str, TransformersEngine]:
        """This engine as it answers with each adapter: all share the network and wait for each other."""
        return {name: self.answering_as(name) for name in self.adapters.names} if self.adapters else {}

    def answering_as(self, adapter: str) -> TransformersEngine:
        """The same engine with another adapter."""
        other = copy.copy(self)
        other.adapter = adapter
        return other

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """The network for one call alone, at rest and with this engine's adapter."""
        with self.lock, at_rest(self.network):
            if self.adapters:
                self.adapters.select(self.adapter)
            yield

    def generate(self, prompts: Sequence[list[int]], sampling: Sampling) -> list[Answer]:
        """Answers in the order of the prompts; as many are written at once as have room."""
        import torch

        limits = [self.room(prompt, sampling) for prompt in prompts]
        with torch.inference_mode(), self.turn():
            fits = fit(self.network)
            if fits is not None:
                return self.together(prompts, limits, sampling, fits)
            size = self.batch_size if len(prompts) > 1 and pads(self.network) else 1
        answers: dict[int, Answer] = {}
        for batch in self.batches(prompts, sampling, size):
            answers.update(zip(batch, self.answer([prompts[index] for index in batch], sampling), strict=True))
        return [answers[index] for index in range(len(prompts))]

    def together(
        self, prompts: Sequence[list[int]], limits: Sequence[int], sampling: Sampling, fits: Fit
    ) -> list[Answer]:
        """The answers, each written while others are; equal to :meth:`run` of each prompt alone."""
        from sevenfold.generate.writing import Writing, chances

        read = [Pieces(self.encoder, sampling.stop) for _ in prompts]

        def ended(index: int, token: int) -> bool:
            read[index].add(token)
            return read[index].ended

        chance_PT = chances(len(prompts), sampling)
        writing = Writing(self.network, fits, prompts, sampling, self.encoder.stop_ids, limits, ended, chance_PT)
        seconds = [0.0] * len(prompts)
        with remembering(self.network):
            for written in writing.answers():
                seconds[written.index] = written.seconds
        for pieces in read:
            if not pieces.ended:
                pieces.finish()
        return [answer_of(*both) for both in zip(read, prompts, seconds, strict=True)]

    def batches(self, prompts: Sequence[list[int]], sampling: Sampling, size: int) -> Iterator[list[int]]:
        """Positions of prompts in batches by length; what the context limits goes alone, as it has another limit."""
        free = [index for index, prompt in enumerate(prompts) if self.room(prompt, sampling) == sampling.max_new_tokens]
        limited = sorted(set(range(len(prompts))) - set(free))
        free.sort(key=lambda index: -len(prompts[index]))
        yield from ([index] for index in limited)
        yield from (free[start : start + size] for start in range(0, len(free), size))

    def answer(self, prompts: list[list[int]], sampling: Sampling) -> list[Answer]:
        """The answers of one batch."""
        started = time.perf_counter()
        written = self.run(prompts, sampling, stop=self.at_stop_text(len(prompts), sampling) if sampling.stop else None)
        seconds = time.perf_counter() - started
        found = [text_of(self.encoder, ids, sampling.stop) for ids in written]
        return [answer_of(pieces, prompt, seconds) for pieces, prompt in zip(found, prompts, strict=True)]

    def stream(self, prompt: list[int], sampling: Sampling) -> Generator[str | Answer, None, None]:
        """The answer piece by piece; the network runs in a thread that ends when the iterator is closed."""
        started = time.perf_counter()
        self.room(prompt, sampling)
        tokens: queue.Queue[int | BaseException | None] = queue.Queue()
        ended = threading.Event()
        pieces = Pieces(self.encoder, sampling.stop)
        thread = threading.Thread(target=self.feed, args=(prompt, sampling, tokens, ended), daemon=True)
        thread.start()
        try:
            while not pieces.ended and (token := tokens.get()) is not None:
                if isinstance(token, BaseException):
                    raise token
                if piece := pieces.add(token):
                    yield piece
            if not pieces.ended and (piece := pieces.finish()):
                yield piece
        finally:
            ended.set()
            thread.join()
        yield answer_of(pieces, prompt, time.perf_counter() - started)

    def feed(
        self,
        prompt: list[int],
        sampling: Sampling,
        tokens: queue.Queue[int | BaseException | None],
        ended: threading.Event,
    ) -> None:
        """Put each new token into ``tokens``, at the end None, or the error that ended it."""
        import torch

        def stop(ids: torch.Tensor) -> torch.Tensor:
            return torch.full((ids.shape[0],), ended.is_set(), device=ids.device)

        try:
            self.run([prompt], sampling, stop=stop, each=tokens.put)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that reads the tokens
            tokens.put(error)
        tokens.put(None)

    def run(
        self,
        prompts: list[list[int]],
        sampling: Sampling,
        stop: Callable[[torch.Tensor], torch.Tensor] | None = None,
        each: Callable[[int], None] | None = None,
    ) -> list[list[int]]:
        """The ids behind each prompt; rows that ended early are padded.

        Args:
            prompts: One batch.
            sampling: How tokens are chosen.
            stop: From all new ids so far ``[row, token]`` to the rows that end ``[row]``.
            each: Called with each new token of the only row.
        """
        import torch

        device, width = self.network.device, max(map(len, prompts))
        pad = pad_id(self.encoder)
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts], device=device)
        mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
        rules: dict[str, Any] = {}
        if stop is not None:
            rules["stopping_criteria"] = [partial(behind, width, stop)]
        if each is not None:
            rules["streamer"] = Streamer(each)
        limit = min(self.room(prompt, sampling) for prompt in prompts)
        network: Any = self.network
        with torch.inference_mode(), self.turn(), own_draws(self.network, sampling):
            network.generation_config = rules_of(sampling, self.encoder, limit)
            written = network.generate(input_ids=ids, attention_mask=mask, **rules)
        found: list[list[int]] = written[:, width:].tolist()
        return found

    def at_stop_text(self, rows: int, sampling: Sampling) -> Callable[[torch.Tensor], torch.Tensor]:
        """Which rows have written a stop text, asked once a token."""
        import torch

        read = [Pieces(self.encoder, sampling.stop) for _ in range(rows)]

        def stop(ids: torch.Tensor) -> torch.Tensor:
            for pieces, token in zip(read, ids[:, -1].tolist(), strict=True):
                if not pieces.ended:
                    pieces.add(token)
            return torch.tensor([pieces.ended for pieces in read], device=ids.device)

        return stop

    def next_log_probs(self, prompt: list[int], count: int) -> dict[int, float]:
        """The ``count`` likeliest next tokens with their log-probabilities, nats."""
        import torch

        with torch.inference_mode(), self.turn():
            ids = torch.tensor([prompt], device=self.network.device)
            logits = self.network(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1]
            best = torch.log_softmax(logits.float(), -1).topk(min(count, len(logits)))
        return dict(zip(best.indices.tolist(), best.values.tolist(), strict=True))

    def score(self, sequences: Sequence[TokenSequence]) -> list[Score]:
        """The likelihood of each sequence's supervised tokens: no padding, and common beginnings are read once.

        Equals :meth:`score_one` of each.
        """
        import torch

        from sevenfold.generate.scoring import scored, targets_of

        with torch.inference_mode(), self.turn():
            fits = fit(self.network) is not None
        if not fits:
            return [self.score_one(sequence) for sequence in sequences]
        targets = [targets_of(sequence) for sequence in sequences]
        asked = [index for index, found in enumerate(targets) if found]
        scores = [Score(0.0, 0, [], True)] * len(sequences)
        with torch.inference_mode(), self.turn(), remembering(self.network):
            for number, found, greedy in scored(self.network, [sequences[index] for index in asked]):
                index = asked[number]
                weights = (sequences[index].weights[place] for place in targets[index])
                nll = -math.fsum(weight * one for weight, one in zip(weights, found, strict=True))
                scores[index] = Score(nll, len(found), found, greedy)
        return scores

    def score_one(self, sequence: TokenSequence) -> Score:
        """The likelihood of one sequence's supervised tokens; the head is computed only where one is predicted."""
        import torch

        targets = [place for place in range(1, len(sequence)) if sequence.weights[place] > 0]
        if not targets:
            return Score(0.0, 0, [], True)
        with torch.inference_mode(), self.turn():
            device = self.network.device
            # The last target is only predicted: nothing has to read it.
            ids = torch.tensor([sequence.ids[: targets[-1]]], device=device)
            before = torch.tensor(targets, device=device) - 1
            wanted = torch.tensor([sequence.ids[place] for place in targets], device=device)
            logits = self.network(input_ids=ids, use_cache=False, logits_to_keep=before).logits[0].float()
            chosen = torch.log_softmax(logits, -1).gather(1, wanted[:, None])[:, 0]
            greedy = bool((logits.argmax(-1) == wanted).all())
            weights = torch.tensor([sequence.weights[place] for place in targets], device=device)
            nll = -(weights.double() * chosen.double()).sum().item()
        return Score(nll, len(targets), chosen.tolist(), greedy)


def behind(
    width: int, stop: Callable[[torch.Tensor], torch.Tensor], seen: torch.Tensor, scores: object, **_: object
) -> torch.Tensor:
    """Ask ``stop`` about the ids behind the prompt, in the form that transformers calls it."""
    return stop(seen[:, width:])


class Streamer:
    """Passes each new token on; transformers hands over the prompt first."""

    def __init__(self, each: Callable[[int], None]) -> None:
        self.each, self.prompt_seen = each, False

    def put(self, value: torch.Tensor) -> None:
        """Take the prompt, then one token a step."""
        if self.prompt_seen:
            self.each(int(value.item()))
        self.prompt_seen = True

    def end(self) -> None:
        """Nothing is kept back."""


@contextlib.contextmanager
def at_rest(network: PreTrainedModel) -> Iterator[None]:
    """The network in evaluation mode with its own generation settings put back afterwards."""
    training, settings = network.training, network.generation_config
    network.eval()
    try:
        yield
    finally:
        network.generation_config = settings
        network.train(training)


@contextlib.contextmanager
def own_draws(network: PreTrainedModel, sampling: Sampling) -> Iterator[None]:
    """Random generators seeded for this call and put back, so a trainer's draws do not move."""
    import torch

    devices = [network.device] if network.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        if sampling.seed is None:
            torch.seed()
        else:
            torch.manual_seed(sampling.seed)
        yield


def rules_of(sampling: Sampling, encoder: Encoder, limit: int) -> GenerationConfig:
    """Exactly these rules: what a model's own settings add (a repetition penalty, top-k) is left out."""
    from transformers import GenerationConfig

    chosen: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        chosen = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    return GenerationConfig(
        max_new_tokens=limit, eos_token_id=sorted(encoder.stop_ids), pad_token_id=pad_id(encoder), **chosen
    )


def pad_id(encoder: Encoder) -> int:
    """The id that fills rows up; it is masked out, so any id will do."""
    pad = encoder.tokenizer.pad_token_id
    return pad if isinstance(pad, int) else encoder.end_id


def answer_of(pieces: Pieces, prompt: list[int], seconds: float) -> Answer:
    """The answer that some pieces make."""
    return Answer(
        text=pieces.text,
        ids=pieces.ids,
        finish_reason="stop" if pieces.ended else "length",
        prompt_tokens=len(prompt),
        completion_tokens=len(pieces.ids),
        seconds=seconds,
    )
