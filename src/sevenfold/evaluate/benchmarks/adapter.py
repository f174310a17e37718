"""A model as lm-eval asks it: texts in; log-likelihoods and answers out, from our engine, kept as they come.

Tokens, windows, cuts and stops are those of lm-eval's own class for transformers models, so that the figures are the
same. Every result is kept under what was asked, token by token: a killed run goes on where it was, and what several
documents ask alike is asked once. This file imports lm-eval, which is an extra.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2.exceptions import TemplateError
from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import normalize_gen_kwargs
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Sampling

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

    from sevenfold.evaluate.subject import Subject

T = TypeVar("T")
AT_ONCE = 512
"""Requests that the engine gets in one call: enough for it to find those that begin alike, and a kill loses no more."""
ANSWER_TOKENS = 256
"""The longest answer where a task does not say, tokens: lm-eval's default."""
OF_NO_EFFECT: Mapping[str, tuple[object, ...]] = {
    "num_beams": (1,),
    "repetition_penalty": (1, 1.0),
    "num_return_sequences": (1,),
    "use_cache": (True, False),
}
"""Settings of answers that change nothing with these values; others cannot be followed."""
WHEN_DRAWN = ("top_k", "min_p", "typical_p")
"""Settings that only matter where answers are drawn, which are not followed then."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A sequence to score.

    Args:
        sequence: The context and behind it what is supervised.
        longest: The length of the longest sequence that shares its context; those are scored in one call.
    """

    sequence: TokenSequence
    longest: int


class EngineLM(TemplateLM):
    """A subject of a check as a model of lm-eval.

    Attributes:
        cut: Requests whose beginning did not fit into the context and was left out.
        without_system: Prompts that the chat template took only without their system message.
        failed: Whether the engine raised an error: that is no benchmark's fault.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self.subject = replace(subject, batch=AT_ONCE)
        self.engine = subject.engine
        self.tokenizer: Any = subject.engine.encoder.tokenizer
        self.max_length = subject.engine.context - len(subject.lead)
        self.cut = 0
        self.without_system = 0
        self.failed = False

    @property
    def eot_token_id(self) -> int:
        """The token that ends a text."""
        end: int = self.tokenizer.eos_token_id
        return end

    @property
    def prefix_token_id(self) -> int:
        """What stands before a text that has no context."""
        begin: int | None = self.tokenizer.bos_token_id
        return self.eot_token_id if begin is None else begin

    @property
    def tokenizer_name(self) -> str:
        """The tokenizer's name, which lm-eval keeps with prompts."""
        return str(self.tokenizer.name_or_path).replace("/", "__")

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """The ids of a text; the tokenizer adds its special ones unless the text begins with one, or it is told."""
        given = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
        if add_special_tokens is None and string.startswith(self.tokenizer.decode(self.prefix_token_id)):
            given = {"add_special_tokens": False}
        return list(self.tokenizer.encode(string, **given))

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation as the model's template writes it; where it takes no system message, without it, counted."""
        rest = {
            "tokenize": False,
            "add_generation_prompt": add_generation_prompt,
            "continue_final_message": not add_generation_prompt,
        }
        try:
            return str(self.tokenizer.apply_chat_template(chat_history, **rest))
        except TemplateError:
            turns = [turn for turn in chat_history if turn["role"] != "system"]
            self.without_system += 1
            return str(self.tokenizer.apply_chat_template(turns, **rest))

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = True) -> list[tuple[float, bool]]:
        """The log-likelihood of each continuation behind its context, nats, and whether it is the greedy one."""
        found: list[tuple[float, bool]] = super().loglikelihood(requests, disable_tqdm=True)
        return found

    def _loglikelihood_tokens(
        self, requests: list[tuple[Any, list[int], list[int]]], **_: Any
    ) -> list[tuple[float, bool]]:
        """The same of token ids."""
        keys = [key_of([context, continuation]) for _, context, continuation in requests]
        kept = self.complete(
            "likelihood",
            dict(self.together(keys, requests)),
            lambda one: one.longest,
            self.score,
            "benchmarks, choices",
        )
        return [(kept[key]["nats"], kept[key]["greedy"]) for key in keys]

    def complete(
        self,
        kind: str,
        items: Mapping[str, T],
        length: Callable[[T], int],
        work: Callable[[Sequence[T]], list[dict[str, Any]]],
        title: str,
    ) -> dict[str, dict[str, Any]]:
        """The result of every item, of the engine or kept from before."""
        try:
            return self.subject.complete(kind, items, length, work, title)
        except Exception:
            self.failed = True
            raise

    def together(
        self, keys: Sequence[str], requests: Sequence[tuple[Any, list[int], list[int]]]
    ) -> Iterator[tuple[str, Asked]]:
        """Every request once, those with one context behind each other."""
        by_context: dict[tuple[int, ...], dict[str, TokenSequence]] = {}
        for key, (_, context, continuation) in zip(keys, requests, strict=True):
            by_context.setdefault(tuple(context), {}).setdefault(key, self.sequence(context, continuation))
        for alike in by_context.values():
            longest = max(map(len, alike.values()))
            yield from ((key, Asked(sequence, longest)) for key, sequence in alike.items())

    def sequence(self, context: list[int], continuation: list[int]) -> TokenSequence:
        """What is read; where it is too long, the beginning is left out. The last token is only predicted."""
        room = self.max_length + 1
        self.cut += len(context) + len(continuation) > room
        if len(continuation) > self.max_length:
            raise ModelError(
                f"a benchmark asks for a continuation of {len(continuation)} tokens",
                expected=f"at most {self.max_length} tokens, the context of {self.engine.name}",
            )
        sequence = TokenSequence()
        sequence.append(context[max(0, len(context) + len(continuation) - room) :], 0.0)
        sequence.append(continuation, 1.0)
        return sequence.led(self.subject.lead)

    def score(self, batch: Sequence[Asked]) -> list[dict[str, Any]]:
        """The engine's figures of many sequences, those with one context neighbours.

        Raises:
            ModelError: The engine does not say which token is the likeliest.
        """
        found = self.engine.score([one.sequence for one in batch])
        if any(score.greedy is None for score in found):
            raise ModelError(
                f"the engine {self.engine.name!r} does not say whether the scored tokens are the likeliest ones",
                next_step="evaluate with the engine transformers",
            )
        return [{"nats": -score.nll, "greedy": score.greedy} for score in found]

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = True) -> list[float]:
        """The log-likelihood of whole texts, nats: in windows as wide as the context, each token predicted once."""
        windows = [list(self.windows(request.args[0])) for request in requests]
        asked = [(None, *window) for text in windows for window in text]
        found = iter(self._loglikelihood_tokens(asked))
        return [sum(next(found)[0] for _ in text) for text in windows]

    def windows(self, text: str) -> Iterator[tuple[list[int], list[int]]]:
        """Contexts and what is predicted behind them."""
        rolling = get_rolling_token_windows(
            token_list=self.tok_encode(text),
            prefix_token=self.prefix_token_id,
            max_seq_len=self.max_length,
            context_len=1,
        )
        return map(make_disjoint_window, rolling)

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = True) -> list[str]:
        """The answer to each prompt up to the first of its stop texts."""
        found: dict[int, str] = {}
        by_rules: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            by_rules.setdefault(json.dumps(request.args[1], sort_keys=True, default=str), []).append(place)
        for places in by_rules.values():
            texts = self.answers([requests[place].args[0] for place in places], requests[places[0]].args[1])
            found.update(zip(places, texts, strict=True))
        return [found[place] for place in range(len(requests))]

    def answers(self, prompts: Sequence[str], rules: Mapping[str, Any]) -> list[str]:
        """The answers to prompts that are answered by the same rules."""
        sampling = sampling_of(rules)
        room = self.max_length - sampling.max_new_tokens
        if room < 1:
            raise ModelError(
                f"a benchmark wants answers of {sampling.max_new_tokens} tokens, the context has {self.max_length}",
                next_step="leave the benchmark out, or write a local task with a smaller max_gen_toks",
            )
        seen: Counter[str] = Counter()
        keys, items = [], {}
        for prompt in prompts:
            ids = self.tok_encode(prompt)
            self.cut += len(ids) > room
            key = key_of([ids, sampling.max_new_tokens, sampling.stop, sampling.temperature, sampling.top_p])
            if sampling.temperature:
                # Asked again, another answer is drawn.
                seen[key] += 1
                key = f"{key} {seen[key]}"
            keys.append(key)
            items[key] = [*self.subject.lead, *ids[-room:]]

        def work(batch: Sequence[list[int]]) -> list[dict[str, Any]]:
            seed = self.subject.seed + zlib.crc32(repr(batch[0]).encode())
            given = self.engine.generate(batch, replace(sampling, seed=seed))
            return [{"text": self.text(one.ids, sampling.stop)} for one in given]

        kept = self.complete("text", items, len, work, "benchmarks, answers")
        return [kept[key]["text"] for key in keys]

    def text(self, ids: Sequence[int], stop: Sequence[str]) -> str:
        """What was written, up to the first stop text."""
        text = str(self.tokenizer.decode(list(ids), skip_special_tokens=True))
        ends = [place for one in stop if (place := text.find(one)) >= 0]
        return text[: min(ends)] if ends else text


def key_of(asked: Sequence[Any]) -> str:
    """A name for what is asked, the same in every run."""
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


def sampling_of(rules: Mapping[str, Any]) -> Sampling:
    """A task's ``generation_kwargs`` as our rules.

    Raises:
        ModelError: The task wants answers that are made in a way that no engine here knows.
    """
    wanted: dict[str, Any] = dict(normalize_gen_kwargs(dict(rules), ANSWER_TOKENS))
    stop = tuple(text for text in wanted.pop("until") if text)
    limit = int(wanted.pop("max_gen_toks"))
    drawn, temperature = bool(wanted.pop("do_sample")), float(wanted.pop("temperature", 0.0))
    top_p = float(wanted.pop("top_p", 1.0))
    others = {
        name: value
        for name, value in wanted.items()
        if value not in OF_NO_EFFECT.get(name, ()) and (drawn or name not in WHEN_DRAWN)
    }
    if others:
        raise ModelError(
            f"a benchmark wants answers with {', '.join(f'{name}: {value}' for name, value in others.items())}",
            expected="generation_kwargs of until, max_gen_toks, do_sample, temperature and top_p",
            next_step="leave the benchmark out, or copy its task file into a folder of your own and change them there",
        )
    return Sampling(limit, temperature if drawn else 0.0, top_p if drawn else 1.0, stop=stop)
