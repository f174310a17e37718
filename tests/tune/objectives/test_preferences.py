"""The losses of preference equal the papers' formulae written out, TRL's, and what is worked by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import DataError, RecipeError
from sevenfold.record import Entry
from sevenfold.tune.encoded import Encoded
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives.dpo import Dpo
from sevenfold.tune.objectives.kto import BASELINE, DESIRABLE, STRAY, Kto
from sevenfold.tune.objectives.orpo import Orpo, log_odds
from sevenfold.tune.objectives.reward import Reward
from sevenfold.tune.objectives.simpo import Simpo
from sevenfold.tune.section import TuneSection
from sevenfold.tune.tokens import encoded_split
from tests.tune.objectives import judged

LENGTHS = [(3, 2), (1, 4), (2, 2)]
"""Tokens of the preferred and of the other answer of three pairs."""
GOOD = [True, False, False, False, True, True]


def values(shift: int) -> list[list[float]]:
    """Log-probabilities of the tokens of each answer, in the order of the pairs."""
    lengths = [length for pair in LENGTHS for length in pair]
    starts = [sum(lengths[:number]) for number in range(len(lengths))]
    return [
        [-0.1 - (7 * (start + place) + shift) % 10 / 4 for place in range(length)]
        for start, length in zip(starts, lengths, strict=True)
    ]


POLICY, START = values(0), values(3)


def batch(weights=(1.0, 1.0, 1.0), columns=None):
    """The pairs as one pass."""
    made = []
    for number, (pair, weight) in enumerate(zip(LENGTHS, weights, strict=True)):
        sequence = TokenSequence([5, 6], [0.0, 0.0])
        said = [0.0, 0.0]
        for side, length in enumerate(pair):
            sequence.branch([7] * length, weight)
            said += START[2 * number + side]
        more = {name: [0.0, 0.0] for name in (columns or {})}
        for name, per_answer in (columns or {}).items():
            for side, length in enumerate(pair):
                more[name] += [per_answer[2 * number + side]] * length
        sequence.columns = {"reference": said, **more}
        made.append(sequence)
    return pack(made)


OUTPUTS = torch.tensor([value for answer in POLICY for value in answer])


def mean_loss(objective, whole=None) -> float:
    whole = whole or batch()
    return float(objective.loss(OUTPUTS, whole)) / objective.weight(whole)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def ratios(mean: bool = False) -> list[tuple[float, float]]:
    """The log-ratios of each pair's answers, written out."""
    found = []
    for policy, start in zip(POLICY, START, strict=True):
        ratio = sum(policy) - sum(start)
        found.append(ratio / len(policy) if mean else ratio)
    return list(zip(found[::2], found[1::2], strict=True))


# TRL 1.16.0: `DPOTrainer._compute_loss`, `CPOTrainer.cpo_loss`, `ORPOTrainer.odds_ratio_loss` with its mean negative
# log-likelihood, and `KTOTrainer._compute_loss`, each called on POLICY and START.
TRL = [
    (Dpo(beta=0.5), 0.8858838081359863),
    (Dpo(beta=0.5, loss_type="hinge"), 1.2500001192092896),
    (Dpo(beta=0.5, loss_type="ipo"), 1.8478010892868042),
    (Dpo(beta=0.5, loss_type="robust", label_smoothing=0.2), 0.9692171216011047),
    (Dpo(beta=0.5, average=True), 0.7323839068412781),
    (Dpo(beta=0.5, reference_free=True, label_smoothing=0.2), 0.6997584700584412),
    (Simpo(beta=2.0, gamma=1.0), 1.347144603729248),
    (Orpo(odds_weight=0.1), 1.1865493059158325),
]


@pytest.mark.parametrize(("objective", "expected"), TRL, ids=lambda value: repr(value)[:60])
def test_losses_are_those_of_trl(objective, expected) -> None:
    assert mean_loss(objective) == pytest.approx(expected, rel=1e-5)


def test_losses_are_the_papers_formulae() -> None:
    def mean(terms):
        return sum(terms) / len(terms)

    deltas = [chosen - rejected for chosen, rejected in ratios()]
    per_token = [chosen - rejected for chosen, rejected in ratios(mean=True)]
    soft = [-math.log(sigmoid(0.3 * d)) for d in deltas]
    hard = [-math.log(sigmoid(-0.3 * d)) for d in deltas]
    assert mean_loss(Dpo(beta=0.3)) == pytest.approx(mean(soft), rel=1e-5)
    assert mean_loss(Dpo(beta=0.3, loss_type="hinge")) == pytest.approx(
        mean([max(0.0, 1 - 0.3 * d) for d in deltas]), rel=1e-5
    )
    assert mean_loss(Dpo(beta=0.3, loss_type="ipo")) == pytest.approx(
        mean([(d - 1 / 0.6) ** 2 for d in per_token]), rel=1e-5
    )
    # The paper's own sums, where the answers' lengths do not matter.
    assert mean_loss(Dpo(beta=0.3, loss_type="ipo", average=False)) == pytest.approx(
        mean([(d - 1 / 0.6) ** 2 for d in deltas]), rel=1e-5
    )
    smooth = [0.9 * a + 0.1 * b for a, b in zip(soft, hard, strict=True)]
    assert mean_loss(Dpo(beta=0.3, label_smoothing=0.1)) == pytest.approx(mean(smooth), rel=1e-5)
    robust = [(0.9 * a - 0.1 * b) / 0.8 for a, b in zip(soft, hard, strict=True)]
    assert mean_loss(Dpo(beta=0.3, loss_type="robust", label_smoothing=0.1)) == pytest.approx(mean(robust), rel=1e-5)
    means = [sum(answer) / len(answer) for answer in POLICY]
    simple = [-math.log(sigmoid(2 * (a - b) - 0.7)) for a, b in zip(means[::2], means[1::2], strict=True)]
    assert mean_loss(Simpo(beta=2, gamma=0.7)) == pytest.approx(mean(simple), rel=1e-5)
    odds = [math.exp(value) / (1 - math.exp(value)) for value in means]
    ratio = [
        -a - 0.2 * math.log(sigmoid(math.log(x / y))) for a, x, y in zip(means[::2], odds[::2], odds[1::2], strict=True)
    ]
    assert mean_loss(Orpo(odds_weight=0.2)) == pytest.approx(mean(ratio), rel=1e-5)


def test_dpo_by_hand() -> None:
    # One pair: the preferred answer is ln 9 likelier than at the start, the other as likely: sigmoid(ln 9) = 0.9.
    sequence = TokenSequence([5], [0.0])
    sequence.branch([6], 1.0)
    sequence.branch([7], 1.0)
    sequence.columns = {"reference": [0.0, -4.0, -2.0]}
    said = torch.tensor([-4.0 + math.log(9), -2.0])
    assert float(Dpo(beta=1.0).loss(said, pack([sequence]))) == pytest.approx(-math.log(0.9), rel=1e-6)
    figures = Dpo(beta=0.5).figures(said, pack([sequence]))
    assert {name: round(float(value), 4) for name, value in figures.items()} == {
        "accuracy": 1.0,
        "margin": round(0.5 * math.log(9), 4),
        "chosen": round(0.5 * math.log(9), 4),
        "rejected": 0.0,
    }


def test_a_pair_counts_as_its_reply_does() -> None:
    weighted, whole = batch((2.0, 0.5, 1.0)), batch()
    objective = Dpo(beta=0.5)
    alone = objective.losses(OUTPUTS, whole)
    assert objective.weight(weighted) == pytest.approx(3.5)
    expected = float((alone * torch.tensor([2.0, 0.5, 1.0])).sum()) / 3.5
    assert mean_loss(objective, weighted) == pytest.approx(expected, rel=1e-6)


def test_odds_are_exact_near_both_ends() -> None:
    logp = torch.tensor([-1e-6, -1e-3, -0.6931, -5.0, -60.0], requires_grad=True)
    found = log_odds(logp)
    exact = [value - math.log(-math.expm1(value)) for value in logp.detach().double().tolist()]
    torch.testing.assert_close(found, torch.tensor(exact, dtype=torch.float32), rtol=1e-5, atol=1e-6)
    found.sum().backward()
    assert torch.isfinite(logp.grad).all()
    assert torch.isfinite(log_odds(torch.tensor([0.0]))).all()


def test_kto_is_trls_and_the_papers() -> None:
    said = [1.0 if good else 0.0 for good in GOOD]
    baseline = 0.25
    whole = batch(columns={DESIRABLE: said, BASELINE: [baseline] * 6})
    objective = Kto(beta=0.5, desirable_weight=1.5, undesirable_weight=0.5)
    assert mean_loss(objective, whole) == pytest.approx(0.5107133388519287, rel=1e-5)
    flat = [ratio for pair in ratios() for ratio in pair]
    losses = [
        1.5 * (1 - sigmoid(0.5 * (ratio - baseline))) if good else 0.5 * (1 - sigmoid(0.5 * (baseline - ratio)))
        for ratio, good in zip(flat, GOOD, strict=True)
    ]
    assert mean_loss(objective, whole) == pytest.approx(sum(losses) / 6, rel=1e-5)


@pytest.fixture
def forward(tiny_model, environment) -> Forward:
    environment.start()
    return Forward(tiny_model.network(torch.float32).train(), torch.float32)


@pytest.fixture
def plain(tiny_model):
    """The same network with transformers' own attention."""
    return tiny_model.network(torch.float32).eval()


def test_ktos_baseline_is_that_of_answers_to_other_prompts(tiny_model, forward, plain, tmp_path) -> None:
    section = TuneSection.model_validate({"objective": "kto", "max_length": 60})
    rows = encoded_split("train", section, judged.ratings(tmp_path / "1"), tiny_model, Entry(tmp_path))
    sequences = rows.sequences(range(6))
    assert STRAY not in sequences[0].columns[DESIRABLE]
    expected = []
    for sequence in sequences:
        sequence.columns["reference"] = [-1.0 - token % 5 for token in sequence.ids]
    for before, sequence in pairwise(sequences):
        own, stray = sequence.texts()
        stem = sequence.branches[0]
        assert stray.ids[stem:] == before.texts()[0].ids[before.branches[0] :]
        assert set(own.columns[DESIRABLE][stem:]) <= {0.0, 1.0}
        with torch.no_grad():
            logits = plain(torch.tensor([stray.ids])).logits[0].log_softmax(-1)
        expected.append(
            sum(
                float(logits[place - 1, stray.ids[place]]) - stray.columns["reference"][place]
                for place in range(stem, len(stray))
            )
        )
    objective = section.objective
    found = objective.collect(forward, [], sequences, None)
    assert found.figures["kl"] == pytest.approx(max(0.0, sum(expected) / len(expected)), rel=1e-4, abs=1e-6)
    assert forward.network.training
    (update,) = found.updates
    assert all(len(sequence.branches) == 1 for sequence in update)
    assert {value for sequence in update for value in sequence.columns[BASELINE]} == {found.figures["kl"]}


def test_a_pair_is_a_good_and_a_bad_answer_for_kto(tiny_model) -> None:
    (sequence,) = Kto().sequences(judged.pair(3), tiny_model.encoder())
    first, second = sequence.branches
    assert set(sequence.columns[DESIRABLE][first:second]) == {1.0}
    assert set(sequence.columns[DESIRABLE][second:]) == {0.0}


def test_the_reward_is_a_linear_head_on_the_last_token(tiny_model, forward, plain) -> None:
    objective = Reward(centering=0.01)
    forward.own = objective.own(forward.network, tiny_model)
    (sequence,) = objective.sequences(judged.pair(3), tiny_model.encoder())
    whole = pack([sequence], objective.here)
    assert len(whole.labels_N) == 2
    rewards = objective.outputs(forward, whole)
    states = [plain.model(torch.tensor([text.ids])).last_hidden_state[0, -1] for text in sequence.texts()]
    expected = torch.stack([forward.own(state)[0] for state in states])
    torch.testing.assert_close(rewards, expected, rtol=1e-4, atol=1e-5)
    chosen, rejected = expected.tolist()
    loss = -math.log(sigmoid(chosen - rejected)) + 0.01 * (chosen + rejected) ** 2
    assert float(objective.loss(rewards, whole)) == pytest.approx(loss, rel=1e-4)


def test_a_margin_is_subtracted(tiny_model) -> None:
    row = judged.pair(3)
    row.fields["by"] = "0.75"
    objective = Reward(margin="by")
    (sequence,) = objective.sequences(row, tiny_model.encoder())
    said = torch.tensor([1.0, 0.5])
    assert float(objective.loss(said, pack([sequence], True))) == pytest.approx(-math.log(sigmoid(0.5 - 0.75)))
    row.fields["by"] = "much"
    with pytest.raises(DataError, match="'much'"):
        objective.sequences(row, tiny_model.encoder())
    del row.fields["by"]
    with pytest.raises(DataError, match="'by'"):
        objective.sequences(row, tiny_model.encoder())


def test_answers_are_read_behind_one_prompt(tiny_model) -> None:
    encoder, row = tiny_model.encoder(), judged.pair(5)
    (sequence,) = Dpo().sequences(row, encoder)
    messages = row.conversation.messages
    prompt = encoder.prompt(messages[:-1])
    assert sequence.ids[: sequence.branches[0]] == prompt
    first, second = sequence.texts()
    assert first.ids == [*prompt, *encoder.reply(messages, len(messages) - 1)]
    assert encoder.decode(second.ids[len(prompt) : -1]) == row.fields["rejected"]
    assert sequence.supervised == len(sequence) - len(prompt)


def changed(**fields: str):
    row = judged.pair(4)
    row.fields.clear()
    row.fields.update(fields)
    return row


WRONG = [
    (Dpo(), changed(), "no column 'rejected'"),
    (Dpo(), changed(rejected="  "), "is empty"),
    (Dpo(), changed(rejected=judged.pair(4).conversation.messages[-1].content + " "), "are the same"),
    (Dpo(rejected="worse"), changed(rejected="no"), "'worse'"),
    (Kto(), changed(), "no column 'desirable'"),
    (Kto(), changed(desirable="maybe"), "says 'maybe'"),
]


@pytest.mark.parametrize(("objective", "row", "said"), WRONG, ids=[said for _, _, said in WRONG])
def test_rows_that_cannot_be_learnt_from_are_named(objective, row, said, tiny_model) -> None:
    with pytest.raises(DataError, match=said) as raised:
        objective.sequences(row, tiny_model.encoder())
    assert raised.value.where == "made:4"
    assert raised.value.expected or raised.value.next_step


def test_a_row_without_a_prompt_is_named(tiny_model) -> None:
    from dataclasses import replace

    from sevenfold.chat.conversation import Conversation

    row = judged.pair(4)
    row = replace(row, conversation=Conversation(row.conversation.messages[-1:]))
    for objective in (Dpo(), Kto(), Reward()):
        with pytest.raises(DataError, match="no prompt"):
            objective.sequences(row, tiny_model.encoder())


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        ({"dpo": {"loss_type": "ipo", "label_smoothing": 0.1}}, "no meaning with ipo"),
        ({"dpo": {"loss_type": "robust"}}, "needs label_smoothing"),
        ({"dpo": {"beta": 0}}, "greater than 0"),
        ({"dpo": "sigmoyd"}, "sigmoyd"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(objective, said) -> None:
    with pytest.raises(Exception, match=said):
        TuneSection.model_validate({"objective": objective})


def test_a_reward_model_refuses_to_cut() -> None:
    with pytest.raises(Exception, match="last token"):
        TuneSection.model_validate({"objective": "reward", "overlong": "cut"})
    with pytest.raises(RecipeError):
        Reward().check(TuneSection.model_validate({"overlong": "cut"}))


def test_the_start_is_not_computed_where_it_is_not_read() -> None:
    assert Dpo().reference
    assert not Dpo(reference_free=True).reference
    assert not Orpo().reference


def test_an_answer_that_is_cut_keeps_its_pair(tiny_model, tmp_path) -> None:
    section = TuneSection.model_validate({"objective": "dpo", "max_length": 18, "overlong": "cut"})
    rows = encoded_split("train", section, judged.pairs(tmp_path / "1"), tiny_model, Entry(tmp_path))
    assert isinstance(rows, Encoded)
    for number in range(len(rows)):
        whole = pack(rows.row(number))
        assert whole.branches == 2
        assert set(whole.branches_N.tolist()) == {0, 1}
