"""Embeddings: a vector for each text, near to those of the texts that belong to it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from sevenfold.errors import DataError, RecipeError
from sevenfold.tune.objectives import Objective
from sevenfold.tune.objectives._labels import places_of, row_weight, states, weighted

if TYPE_CHECKING:
    from torch import Tensor

    from sevenfold.chat.encoder import Encoder, TokenSequence
    from sevenfold.prepare.dataset import Row
    from sevenfold.tune.engine.embeddings import Pairings
    from sevenfold.tune.engine.forward import Forward
    from sevenfold.tune.engine.passes import Pass
    from sevenfold.tune.section import TuneSection

ANCHOR, OWN, HARD = 0.0, 1.0, 2.0
"""What a text is in its row."""
HASHES = 1 << 24
"""Hashes that float32 holds exactly."""


class Embed(Objective):
    """Contrastive learning of embeddings, for encoders and causal models.

    A row is a pair: the question is the anchor, the reply the text that belongs to it (``format: pair`` reads
    ``anchor`` and ``positive``). Other rows' texts of the step are negatives, and the row's own hard ones where it has
    the columns that ``negatives`` names; a text that reads as the anchor's own is never one. Losses:

    - ``info_nce``: ``-log exp(cos(a, p) / t) / sum_e exp(cos(a, e) / t)`` (van den Oord et al. 2018, arXiv 1807.03748)
    - ``triplet``: ``max(0, |a - p| - |a - n| + m)`` (Schroff et al. 2015, arXiv 1503.03832)
    - ``margin``: the mean over pairs of ``d^2``, where they do not belong together ``max(0, m - d)^2`` (Hadsell 2006)

    The loss is of all the step's texts at once, whatever ``tokens_per_pass`` is (GradCache, Gao et al. 2021, arXiv
    2101.06983), so a batch of hundreds of rows needs the memory of one pass. With ``dims`` it is the mean over the
    first so many figures of each vector (Matryoshka, Kusupati et al. 2022, arXiv 2205.13147). A row that is one text
    alone is drawn to itself under another dropout (SimCSE, Gao et al. 2021, arXiv 2104.08821), which needs a network
    that has dropout.
    """

    targets = "text"
    here: ClassVar[bool] = True
    joint: ClassVar[bool] = True
    writes: ClassVar[bool] = False
    embeds: ClassVar[bool] = True
    answers_untuned: ClassVar[bool] = True

    kind: Literal["info_nce", "triplet", "margin"] = Field("info_nce", description="The loss.")
    pooling: Literal["mean", "last", "first"] = Field(
        "mean", description="A text's vector: the mean of its tokens' states, the last token's, or the first's ([CLS])."
    )
    normalise: bool = Field(True, description="Vectors of length one; info_nce compares by the cosine either way.")
    temperature: float = Field(0.05, gt=0, description="info_nce: the smaller, the more the nearest negatives count.")
    margin: float = Field(0.5, gt=0, description="triplet, margin: how far apart, Euclidean, is far enough.")
    symmetric: bool = Field(False, description="info_nce: also find the anchor for its text, as much as the reverse.")
    dims: tuple[int, ...] = Field((), description="Matryoshka: also learn the first so many figures as vectors.")
    negatives: tuple[str, ...] = Field(("negative",), description="Columns whose texts are a row's hard negatives.")
    query_prefix: str = Field("", description="Text before every anchor, such as 'query: '.")
    text_prefix: str = Field("", description="Text before every other text, such as 'passage: '.")

    @property
    def measures(self) -> tuple[str, ...]:
        """How often, and how high, the own text is found among all held-out ones."""
        return ("recall", "mrr")

    @property
    def columns(self) -> tuple[str, ...]:
        """What a text is in its row, and its hash."""
        return ("role", "text")

    def sequences(self, row: Row, encoder: Encoder) -> list[TokenSequence]:
        """The row's texts as branches without a stem; the tokens that make the vector are targets.

        Raises:
            DataError: A text is empty, or a hard negative is the anchor's own text.
        """
        from sevenfold.chat.encoder import TokenSequence

        anchor, own, hard = self.texts(row)
        made = TokenSequence()
        texts = [(ANCHOR, anchor), (OWN, own), *((HARD, text) for text in hard)]
        # One text alone stands on both sides, so one prefix is before both.
        prefixes = (self.query_prefix, self.text_prefix if anchor is not own else self.query_prefix)
        made.columns = {"role": [], "text": []}
        for role, text in texts:
            ids = self.ids(prefixes[role != ANCHOR] + text, encoder)
            made.branch(ids, 0.0)
            made.weights[-len(ids) :] = self.weights(len(ids), encoder, row_weight(row))
            made.columns["role"] += [role] * len(ids)
            made.columns["text"] += [float(zlib.crc32(text.encode()) % HASHES)] * len(ids)
        return [made]

    def texts(self, row: Row) -> tuple[str, str, list[str]]:
        """A row's anchor, the text that belongs to it, and its hard negatives.

        Raises:
            DataError: A text is empty, or a hard negative is the anchor's own text.
        """
        if not row.conversation.replies:
            raise DataError(
                "the row has no text that belongs to its anchor",
                where=row.origin,
                next_step="prepare.format: pair, with the columns anchor and positive",
            )
        own = row.conversation.reference()
        prompt = row.conversation.prompt()
        anchor = "\n".join(message.content for message in prompt) if prompt else own
        hard = [row.fields[name] for name in self.negatives if row.fields.get(name)]
        for text, what in ((anchor, "anchor"), (own, "text that belongs to it")):
            if not text.strip():
                raise DataError(f"the {what} is empty", where=row.origin, next_step="prepare.clean: [empty]")
        for text in hard:
            if text == own:
                raise DataError(
                    "a hard negative is the text that belongs to the anchor",
                    where=row.origin,
                    value=text,
                    expected="another text",
                    next_step="remove it from the row",
                )
        return anchor, own, hard

    def ids(self, text: str, encoder: Encoder) -> list[int]:
        """A text as the tokenizer alone reads it, with its own special tokens, behind virtual ones."""
        return encoder.led(encoder.tokenizer(text)["input_ids"])

    def weights(self, length: int, encoder: Encoder, weight: float) -> list[float]:
        """The weight at the tokens whose states make a text's vector."""
        return weighted(length, places_of(self.pooling, len(encoder.lead), length), weight)

    def outputs(self, forward: Forward, batch: Pass) -> Tensor:
        """Each text's vector, ``B x D``, float32, not yet of length one."""
        from sevenfold.tune.engine.embeddings import pooled

        return pooled(states(forward, batch), batch.to(str(forward.device)))

    def weight(self, batch: Pass) -> float:
        """The sum of the anchors' weights."""
        from sevenfold.tune.engine.embeddings import pairings

        return float(pairings(batch).weights_A.sum())

    def loss(self, outputs: Tensor, batch: Pass) -> Tensor:
        """The sum over anchors."""
        from sevenfold.tune.engine.embeddings import pairings

        found = pairings(batch)
        widths = self.dims or (outputs.shape[-1],)
        losses = [self.of_width(outputs[:, :width], found) for width in widths]
        total: Tensor = sum(losses) / len(losses)  # type: ignore[assignment]
        return total

    def of_width(self, vectors_BD: Tensor, found: Pairings) -> Tensor:
        """The loss of vectors cut to a width."""
        from torch.nn.functional import normalize

        from sevenfold.tune.engine import embeddings

        vectors_BD = normalize(vectors_BD, dim=-1) if self.normalise else vectors_BD
        anchors_AD, examples_ED = vectors_BD[found.anchors_A], vectors_BD[found.examples_E]
        if self.kind == "triplet":
            losses_A = embeddings.triplet(anchors_AD, examples_ED, found, self.margin)
        elif self.kind == "margin":
            losses_A = embeddings.margin_loss(anchors_AD, examples_ED, found, self.margin)
        else:
            losses_A = embeddings.info_nce(anchors_AD, examples_ED, found, self.temperature)
            if self.symmetric:
                back_A = embeddings.info_nce(
                    examples_ED[: len(anchors_AD)], anchors_AD, found.turned(), self.temperature
                )
                losses_A = (losses_A + back_A) / 2
        return (found.weights_A * losses_A).sum()

    def figures(self, outputs: Tensor, batch: Pass) -> dict[str, Tensor]:
        """How often the anchor's own text is the nearest, and the mean of one over its rank."""
        from sevenfold.tune.engine.embeddings import pairings, ranks

        found = pairings(batch)
        ranks_A = ranks(outputs[found.anchors_A], outputs[found.examples_E], found)
        return {
            "found first": (found.weights_A * (ranks_A == 1)).sum(),
            "reciprocal rank": (found.weights_A / ranks_A).sum(),
        }

    def vectors(self, forward: Forward, encoder: Encoder, texts: Sequence[str], query: bool = False) -> Tensor:
        """The vectors of some texts, ``B x D``, float32, of length one where :attr:`normalise` says so.

        Args:
            forward: The network; no dropout.
            encoder: The tokenizer, with the virtual tokens that stand before every text.
            texts: Go through side by side.
            query: Whether they are asked with, as anchors are; it decides what is put before them.
        """
        import torch
        from torch.nn.functional import normalize

        from sevenfold.chat.encoder import TokenSequence
        from sevenfold.tune.engine.passes import pack

        prefix = self.query_prefix if query else self.text_prefix
        ids = [self.ids(prefix + text, encoder) for text in texts]
        with torch.inference_mode():
            batch = pack([TokenSequence(one, self.weights(len(one), encoder, 1.0)) for one in ids], here=True)
            found = self.outputs(forward, batch)
            return normalize(found, dim=-1) if self.normalise else found

    def check(self, section: TuneSection) -> None:
        """Refuse a step of one row where its negatives are the other rows'.

        Raises:
            RecipeError: There are none.
        """
        if section.batch < 2:
            raise RecipeError(
                f"tune.batch = {section.batch} leaves an anchor no other row's text to tell its own from",
                where="tune.objective: embed",
                expected="at least 2; 32 and more are usual",
                next_step="tune.batch: 32; memory does not grow with it",
            )
