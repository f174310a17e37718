"""The contrastive losses equal their formulae written out, and texts become the vectors that a plain call gives."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.dataset import Row
from sevenfold.tune import accumulate
from sevenfold.tune.engine import embeddings
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack, passes
from sevenfold.tune.objectives.embed import Embed
from sevenfold.tune.section import TuneSection


def row(anchor: str, own: str, **fields: str) -> Row:
    return Row(Conversation((Message("user", anchor), Message("assistant", own))), "made:1", fields)


ROWS = [
    row("the data", "good data", negative="bad answers"),
    row("say 12", "the model"),
    row("the model reads", "the answer", negative="writes"),
    row("the model writes", "good data"),
]


@pytest.fixture
def encoder(tiny_encoder):
    return tiny_encoder.encoder()


@pytest.fixture
def batch(encoder):
    return pack([one for each in ROWS for one in Embed().sequences(each, encoder)], here=True)


@pytest.fixture
def vectors(batch) -> torch.Tensor:
    return torch.randn(batch.branches, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


# Texts in order: a0 p0 n0, a1 p1, a2 p2 n2, a3 p3, where p3 reads as p0.
ANCHORS, OWN = (0, 3, 5, 8), (1, 4, 6, 9)
FOREIGN = ((4, 6, 2, 7), (1, 6, 9, 2, 7), (1, 4, 9, 2, 7), (4, 6, 2, 7))
"""The examples that are foreign to each anchor: p0 and p3 are the same text."""
HARD = ((2,), (), (7,), ())


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(one @ other / one.norm() / other.norm())


def test_info_nce_is_its_formula(batch, vectors) -> None:
    expected = 0.0
    for anchor, own, foreign in zip(ANCHORS, OWN, FOREIGN, strict=True):
        right = math.exp(cosine(vectors[anchor], vectors[own]) / 0.05)
        wrong = sum(math.exp(cosine(vectors[anchor], vectors[other]) / 0.05) for other in foreign)
        expected -= math.log(right / (right + wrong))
    assert float(Embed().loss(vectors, batch)) == pytest.approx(expected, rel=1e-6)


def test_info_nce_by_hand() -> None:
    # Cosines 1 and 0 at temperature 1: -log(e / (e + 1)) = log(1 + 1/e).
    eye = torch.eye(2)
    found = embeddings.Pairings(
        torch.arange(2),
        torch.arange(2),
        ~torch.eye(2, dtype=torch.bool),
        torch.zeros(2, 2, dtype=torch.bool),
        torch.ones(2),
    )
    losses = embeddings.info_nce(eye, 3 * eye, found, 1.0)
    torch.testing.assert_close(losses, torch.full((2,), math.log(1 + math.exp(-1))))


def test_the_other_way_round_looks_among_the_anchors(batch, vectors) -> None:
    one_way = float(Embed().loss(vectors, batch))
    back = 0.0
    # To p0 and p3, one text, both their anchors belong.
    mates = ((3, 5), (0, 5, 8), (0, 3, 8), (3, 5))
    for anchor, own, others in zip(ANCHORS, OWN, mates, strict=True):
        right = math.exp(cosine(vectors[anchor], vectors[own]) / 0.05)
        wrong = sum(math.exp(cosine(vectors[own], vectors[other]) / 0.05) for other in others)
        back -= math.log(right / (right + wrong))
    assert float(Embed(symmetric=True).loss(vectors, batch)) == pytest.approx((one_way + back) / 2, rel=1e-6)


@pytest.mark.parametrize("normalise", [True, False])
def test_triplet_is_its_formula(batch, vectors, normalise) -> None:
    vectors = torch.nn.functional.normalize(vectors, dim=-1) if normalise else vectors
    expected = 0.0
    for anchor, own, foreign, hard in zip(ANCHORS, OWN, FOREIGN, HARD, strict=True):
        nearest = min(float((vectors[anchor] - vectors[other]).norm()) for other in hard or foreign)
        expected += max(0.0, float((vectors[anchor] - vectors[own]).norm()) - nearest + 0.5)
    found = Embed(kind="triplet", margin=0.5, normalise=normalise).loss(vectors, batch)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_margin_is_its_formula(batch, vectors) -> None:
    expected = 0.0
    for anchor, own, foreign, hard in zip(ANCHORS, OWN, FOREIGN, HARD, strict=True):
        pairs = [(0, own), *((1, other) for other in hard or foreign)]
        found = [(y, float((vectors[anchor] - vectors[other]).norm())) for y, other in pairs]
        expected += sum((1 - y) * d**2 + y * max(3.0 - d, 0) ** 2 for y, d in found) / len(found)
    loss = Embed(kind="margin", margin=3.0, normalise=False).loss(vectors, batch)
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_with_dims_the_loss_is_the_mean_over_widths(batch, vectors) -> None:
    widths = [float(Embed().loss(vectors[:, :width], batch)) for width in (2, 6)]
    assert float(Embed(dims=(2, 6)).loss(vectors, batch)) == pytest.approx(sum(widths) / 2)


def test_figures_are_ranks_among_foreign_texts(batch, vectors) -> None:
    ranks = [
        1 + sum(cosine(vectors[anchor], vectors[other]) > cosine(vectors[anchor], vectors[own]) for other in foreign)
        for anchor, own, foreign in zip(ANCHORS, OWN, FOREIGN, strict=True)
    ]
    found = Embed().figures(vectors, batch)
    assert float(found["reciprocal rank"]) == pytest.approx(sum(1 / rank for rank in ranks))
    assert float(found["found first"]) == sum(rank == 1 for rank in ranks)


def test_equal_texts_have_no_slope_that_is_not_a_number() -> None:
    same = torch.ones(2, 3, requires_grad=True)
    embeddings.distances(same, same).sum().backward()
    assert torch.isfinite(same.grad).all()


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
def test_vectors_are_those_of_a_plain_call(tiny_encoder, encoder, pooling) -> None:
    network = tiny_encoder.network(torch.float32)
    texts = ["the data", "the model reads the answer"]
    found = Embed(pooling=pooling, query_prefix="say ").vectors(
        Forward(network, torch.float32), encoder, texts, query=True
    )
    plain_network = tiny_encoder.network(torch.float32).base_model
    for text, vector in zip(texts, found, strict=True):
        with torch.no_grad():
            states = plain_network(**encoder.tokenizer(f"say {text}", return_tensors="pt")).last_hidden_state[0]
        plain = {"mean": states.mean(0), "first": states[0], "last": states[-1]}[pooling]
        torch.testing.assert_close(vector, plain / plain.norm(), rtol=1e-4, atol=1e-5)


def test_gradients_of_many_passes_are_those_of_one(tiny_encoder, encoder) -> None:
    objective = Embed()
    sequences = [one for each in ROWS for one in objective.sequences(each, encoder)]
    found = []
    for budget in (1000, 12):
        forward = Forward(tiny_encoder.network(torch.float32), torch.float32)
        loss = accumulate.gradients(forward, objective, passes(sequences, budget, here=True))
        found.append((loss, {name: weight.grad for name, weight in forward.network.named_parameters()}))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for name, gradient in found[0][1].items():
        if gradient is not None:
            torch.testing.assert_close(found[1][1][name], gradient, rtol=1e-3, atol=1e-5)


def test_prefixes_stand_before_their_texts(encoder) -> None:
    (sequence,) = Embed(query_prefix="say ", text_prefix="the ").sequences(ROWS[0], encoder)
    said = [encoder.decode(text.ids, skip_special=True) for text in sequence.texts()]
    assert said == ["say the data", "the good data", "the bad answers"]


def test_a_text_alone_is_drawn_to_itself(encoder) -> None:
    alone = Row(Conversation((Message("assistant", "the data"),)), "made:1")
    first, second = Embed().sequences(alone, encoder)[0].texts()
    assert first.ids == second.ids


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row(" ", "the data"), "the anchor is empty"),
        (row("the data", " "), "the text that belongs to it is empty"),
        (row("say", "the data", negative="the data"), "a hard negative is the text"),
        (replace(ROWS[0], conversation=Conversation((Message("user", "the data"),))), "no text that belongs"),
    ],
)
def test_rows_that_are_no_pairs_are_named(encoder, bad, said) -> None:
    with pytest.raises(DataError, match=said) as caught:
        Embed().sequences(bad, encoder)
    assert caught.value.where == "made:1"


def test_a_step_of_one_row_is_refused() -> None:
    with pytest.raises(RecipeError, match="no other row's text"):
        Embed().check(TuneSection(batch=1))
