"""A guard model: Llama Guard 2 and 3, ShieldGemma, WildGuard, and whatever was tuned to answer in their forms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from sevenfold.chat.conversation import Conversation
from sevenfold.errors import ModelError, first_line
from sevenfold.generate.engine import Backend, Capacity
from sevenfold.generate.engines import ENGINES
from sevenfold.guard import Flag, Guard, Judgement, OpenGuard, Side
from sevenfold.guard.asking import Asker, Local, Remote, Reply, probability
from sevenfold.guard.forms import FORMS, Example, Form, Verdict
from sevenfold.guard.taxonomy import Category, Changes, Taxonomy, changed, read
from sevenfold.schema import Chosen

if TYPE_CHECKING:
    from sevenfold.chat.encoder import Encoder

PLAIN = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
"""A template for tokenizers without one: the forms write the frame themselves."""


class Model(Guard):
    """A language model that was trained to judge, asked in the form that it was trained on."""

    main = "model"
    model: str = Field(min_length=1, description="A folder in Hugging Face's layout, a hub name, or a name at address.")
    form: Annotated[Form, Chosen(FORMS)] = Field("llama_guard_3", validate_default=True, description="How it is asked.")
    taxonomy: str | None = Field(
        None,
        description="What counts as unsafe: a name, or a YAML file of yours. Not given: what the form's model knows.",
    )
    changes: Changes = Field(Changes(), description="Categories to add, rename, describe anew or remove.")
    examples: tuple[Example, ...] = Field((), description="Judged conversations shown before each question (few-shot).")
    threshold: float = Field(0.5, ge=0, le=1, description="The probability of unsafe from which a text is unsafe.")
    address: str | None = Field(
        None, description="An OpenAI-compatible address that has the model: http://host:8000/v1."
    )
    key_variable: str = Field("OPENAI_API_KEY", description="The environment variable with the key of the address.")
    seconds: float = Field(60, gt=0, description="The longest wait for the address, seconds.")
    tries: int = Field(3, ge=1, description="Tries at the address.")
    engine: Annotated[Backend, Chosen(ENGINES)] = Field(
        "transformers", validate_default=True, description="What runs a model that is here."
    )
    threads: int = Field(1, ge=1, description="Threads of a model that is here.")
    context: int = Field(8192, ge=64, description="Most tokens of a question and its answer.")

    @model_validator(mode="after")
    def examples_name_categories(self) -> Model:
        """Refuse an example of a category that does not exist."""
        known = self.counted().by_id
        for example in self.examples:
            for id in example.unsafe_as:
                if id not in known:
                    raise ValueError(f"an example is unsafe as {id!r}; the taxonomy has {', '.join(known)}")
        return self

    def counted(self) -> Taxonomy:
        """The taxonomy with the recipe's changes.

        Raises:
            RecipeError: It is not there, or a change does not fit.
        """
        return changed(read(self.taxonomy or self.form.taxonomy), self.changes)

    def open(self) -> OpenModel:
        """The model behind its address, or opened here."""
        if self.address is not None:
            asker: Asker = Remote(self.address, self.model, self.seconds, self.tries, self.key_variable)
        else:
            folder = found(self.model)
            capacity = Capacity(threads=self.threads, at_once=1, context=self.context)
            asker = Local(self.engine.open(folder, encoder_of(folder), capacity), self.form.start)
        return OpenModel(self, asker)


class OpenModel(OpenGuard):
    """A guard model that is asked.

    Args:
        guard: How.
        asker: Who answers.
    """

    def __init__(self, guard: Model, asker: Asker) -> None:
        self.guard, self.asker, self.taxonomy = guard, asker, guard.counted()

    def judge(self, conversations: Sequence[Conversation], side: Side = "prompt") -> list[Judgement]:
        """One question a conversation, or one a category where the form asks so."""
        form, every = self.guard.form, self.taxonomy.categories
        asked = [(one,) for one in every] if form.by_category else [every]
        prompts = [form.prompt(one, side, part, self.guard.examples) for one in conversations for part in asked]
        replies = self.asker.ask(prompts, form.length)
        width = len(asked)
        return [
            self.joined([self.one(*pair, side) for pair in zip(asked, replies[row * width :], strict=False)])
            for row in range(len(conversations))
        ]

    def one(self, categories: Sequence[Category], reply: Reply, side: Side) -> Judgement:
        """What one reply says: the probability of the deciding word, or the word where none is told."""
        form = self.guard.form
        verdict = form.read(reply.text, side, categories)
        score = probability(reply.at(verdict.before), form.unsafe, form.safe)
        if score is None and verdict.unsafe is None:
            return Judgement(False, 1.0, why=f"the guard wrote {reply.text[:60]!r}, which is no judgement", failed=True)
        score = float(bool(verdict.unsafe)) if score is None else score
        unsafe = score >= self.guard.threshold
        return Judgement(
            not unsafe,
            score,
            flags(verdict, categories, score) if unsafe else (),
            verdict.refused,
            f"{form.unsafe!r} has the probability {score:.3f}",
        )

    def joined(self, parts: Sequence[Judgement]) -> Judgement:
        """The questions about one conversation as one judgement: the worst of them."""
        if len(parts) == 1:
            return parts[0]
        worst = max(parts, key=lambda part: (not part.safe, part.score))
        named = [flag for part in parts for flag in part.categories]
        failed = any(part.failed for part in parts)
        return Judgement(
            all(part.safe for part in parts),
            worst.score,
            tuple(sorted(named, key=lambda flag: -(flag.probability or 0))),
            None,
            worst.why,
            failed,
        )

    def close(self) -> None:
        """Give back the model."""
        self.asker.close()


def flags(verdict: Verdict, categories: Sequence[Category], score: float) -> tuple[Flag, ...]:
    """The categories of an unsafe text; a question about a single category has its probability."""
    if len(categories) == 1:
        return (Flag(categories[0].name, score),)
    return verdict.categories


def found(model: str) -> Path:
    """The folder of a model; a hub name is fetched, as safetensors and text files only.

    Raises:
        ModelError: There is no such folder, and the hub has it not or cannot be reached.
    """
    folder = Path(model).expanduser()
    if (folder / "config.json").is_file():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        if folder.is_dir():
            raise HFValidationError("the folder has no config.json")
        return Path(snapshot_download(model, allow_patterns=["*.safetensors", "*.json", "*.model", "*.jinja", "*.txt"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelError(
            f"there is no guard model {model!r}: {first_line(error)}",
            expected="a folder with config.json and safetensors, or a hub name",
            next_step="check the spelling and the network; for a gated model accept its licence and `hf auth login`; "
            "or set address to a service that has it",
        ) from None


def encoder_of(folder: Path) -> Encoder:
    """The tokenizer of a guard model with the tokens that end its answers.

    Raises:
        ModelError: It cannot be read.
    """
    from transformers import AutoTokenizer

    from sevenfold.chat.encoder import Encoder

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"the tokenizer cannot be read: {first_line(error)}", where=str(folder)) from None
    tokenizer.chat_template = tokenizer.chat_template or PLAIN
    ends = {tokenizer.eos_token_id}
    # Llama Guard ends a turn with a token of its own.
    known = tokenizer.get_vocab()
    ends |= {known[token] for token in ("<|eot_id|>", "<end_of_turn>") if token in known}
    return Encoder(tokenizer, [id for id in ends if isinstance(id, int)])
