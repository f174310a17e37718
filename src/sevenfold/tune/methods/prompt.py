"""Prompt tuning: trained vectors before the embeddings of every conversation (Lester et al. 2021, arXiv 2104.08691)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.leading import WEIGHTS, Leading

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


class Prompt(Leading):
    r"""``network([p_1 ... p_P, e(x_1) ... e(x_T)])`` with trained vectors :math:`p_{PD}` in float32.

    The fewest parameters of all methods: P times the hidden width; one base serves any number of tasks, each with its
    own prompt. Every conversation is P tokens longer, and the backward pass goes through all of the network. It comes
    close to other methods on large models only, needs many steps, and a learning rate of 0.01 to 0.3.

    The vectors begin as those of words drawn from the vocabulary, or of a text's: the paper found both better than
    noise.
    """

    source: ClassVar[str] = WEIGHTS
    start: Literal["vocabulary", "random"] = Field(
        "vocabulary", description="What the vectors are at the start, without a text: words' vectors, or noise as wide."
    )
    text: str | None = Field(
        None, description="A text whose words' vectors are the start; it is repeated, or cut, to the number of tokens."
    )

    def put_in(self, network: PreTrainedModel, fresh: bool) -> None:
        """Let the input embeddings answer virtual tokens."""
        import torch

        from sevenfold.tune.engine import virtual

        weight = virtual.embeddings_of(network).weight
        empty = torch.empty(self.tokens, weight.shape[1], device=weight.device)
        virtual.put_in(network, virtual.Vectors(self.first(network) if fresh else empty))

    def first(self, network: PreTrainedModel) -> torch.Tensor:
        """The vectors at the start, ``P x D``; as the layer gives them, which may scale its weights."""
        import torch

        from sevenfold.tune.engine import virtual

        embeddings = virtual.embeddings_of(network)
        if self.text is not None:
            ids = torch.tensor(self.text_ids(self.text, network))
        else:
            ids = torch.randint(network.config.get_text_config().vocab_size, (self.tokens,))
        with torch.no_grad():
            found: torch.Tensor = embeddings(ids.to(embeddings.weight.device)).float()
        if self.text is None and self.start == "random":
            return found.std() * torch.randn(found.shape).to(found.device)
        return found

    def text_ids(self, text: str, network: PreTrainedModel) -> list[int]:
        """The ids of a text, as many as there are virtual tokens.

        Raises:
            RecipeError: The text has no words, or there is no tokenizer beside the weights.
        """
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(network.name_or_path, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"no tokenizer lies beside the weights, so the text cannot be read: {str(error).splitlines()[0]}",
                where="tune.method.prompt.text",
                next_step="leave text out: the start is words of the vocabulary then",
            ) from error
        ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        if not ids:
            raise RecipeError(
                f"the text {text!r} has no words", where="tune.method.prompt.text", expected="one word or more"
            )
        return (ids * -(-self.tokens // len(ids)))[: self.tokens]

    def save(self, network: PreTrainedModel, folder: Path, base: str) -> None:
        """Write ``adapter_model.safetensors`` and ``adapter_config.json`` as PEFT reads them."""
        (vectors,) = self.trainable(network).values()
        self.write(folder, vectors, self.peft_config(network, base, "PROMPT_TUNING"))

    def named(self, network: PreTrainedModel, kept: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """PEFT's file holds just what moves, under a name of its own."""
        return dict(zip(self.trainable(network), kept.values(), strict=True))
