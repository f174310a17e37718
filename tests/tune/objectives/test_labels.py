"""Classification, regression, tags and spans against transformers' own losses; their data errors."""

import pytest
import torch

from sevenfold.errors import DataError, RecipeError
from sevenfold.schema import build
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.objectives import OBJECTIVES
from sevenfold.tune.objectives.classify import BITS, Classify, bits
from sevenfold.tune.objectives.regress import Regress
from sevenfold.tune.objectives.span import Span
from sevenfold.tune.objectives.tag import Entity, Tag, entities
from sevenfold.tune.section import TuneSection
from tests.tune.objectives import labelled, made


@pytest.fixture
def forward(tiny_model):
    return Forward(tiny_model.network(torch.float32), torch.float32)


def settled(name, folder, **fields):
    return build(OBJECTIVES.find(name), fields, name).settled(made.dataset(name, folder / name))


def computed(objective, row_of, forward, model, count=6):
    """The mean loss of some rows in one pass, and the rows' ids."""
    sequences = [s for n in range(count) for s in objective.sequences(row_of(n), model.encoder())]
    batch = pack(sequences, objective.here)
    forward.own = objective.own(forward.network, model)
    with torch.no_grad():
        outputs = objective.outputs(forward, batch)
        return float(objective.loss(outputs, batch)) / objective.weight(batch), [s.ids for s in sequences]


def theirs(name, model, own, **config):
    """Transformers' class for the task with our head in it."""
    import transformers

    kind = getattr(transformers, f"LlamaFor{name}")
    plain = model.network(torch.float32)
    network = kind(kind.config_class.from_pretrained(model.weights, pad_token_id=model.pad_id(), **config)).eval()
    network.base_model.load_state_dict(plain.base_model.state_dict())
    head = network.qa_outputs if name == "QuestionAnswering" else network.score
    head.load_state_dict(own.state_dict())
    return network


def test_classification_equals_transformers_loss(forward, tiny_model, tmp_path) -> None:
    objective = settled("classify", tmp_path)
    loss, ids = computed(objective, labelled.one_label, forward, tiny_model)
    network = theirs("SequenceClassification", tiny_model, forward.own, num_labels=3)
    losses = []
    for number, row in enumerate(ids):
        label = torch.tensor([labelled.COLOURS.index(labelled.one_label(number).conversation.reference())])
        losses.append(float(network(torch.tensor([row]), labels=label).loss.detach()))
    assert loss == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_balanced_weights_are_those_of_the_formula_and_of_torch(forward, tiny_model, tmp_path) -> None:
    objective = settled("classify", tmp_path, weights="balanced")
    rows = [labelled.one_label(number).conversation.reference() for number in range(24)]
    assert objective.class_weights == pytest.approx([24 / (3 * rows.count(label)) for label in objective.labels])
    assert sum(objective.counts) == 24
    loss, ids = computed(objective, labelled.one_label, forward, tiny_model)
    network = theirs("SequenceClassification", tiny_model, forward.own, num_labels=3)
    logits = torch.cat([network(torch.tensor([row])).logits for row in ids])
    labels = torch.tensor([objective.numbers[rows[number]] for number in range(6)])
    weight = torch.tensor(objective.class_weights)
    assert loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, labels, weight=weight)), rel=1e-5)


def test_regression_equals_transformers_loss(forward, tiny_model, tmp_path) -> None:
    objective = settled("regress", tmp_path)
    values = torch.tensor([float(labelled.numbers(n).conversation.reference()) for n in range(24)])
    assert objective.scale == pytest.approx((float(values.mean()), float(values.std(correction=0))))
    loss, ids = computed(objective, labelled.numbers, forward, tiny_model)
    network = theirs("SequenceClassification", tiny_model, forward.own, num_labels=1, problem_type="regression")
    scaled = (values - objective.scale[0]) / objective.scale[1]
    losses = [float(network(torch.tensor([row]), labels=scaled[n : n + 1]).loss) for n, row in enumerate(ids)]
    assert loss == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_tags_equal_transformers_loss(forward, tiny_model, tmp_path) -> None:
    objective = settled("tag", tmp_path)
    assert objective.labels == ("O", "B-ACT", "I-ACT", "B-THING")
    loss, ids = computed(objective, labelled.tagged, forward, tiny_model)
    network = theirs("TokenClassification", tiny_model, forward.own, num_labels=4)
    total, words = 0.0, 0
    for number, row in enumerate(ids):
        (sequence,) = objective.sequences(labelled.tagged(number), tiny_model.encoder())
        labels = [
            int(label) if weight else -100
            for label, weight in zip(sequence.columns["label"], sequence.weights, strict=True)
        ]
        count = sum(label >= 0 for label in labels)
        total += count * float(network(torch.tensor([row]), labels=torch.tensor([labels])).loss)
        words += count
    assert loss == pytest.approx(total / words, rel=1e-5)


def test_spans_equal_a_softmax_over_the_text(forward, tiny_model) -> None:
    objective = Span()
    loss, ids = computed(objective, labelled.spans, forward, tiny_model)
    network = theirs("QuestionAnswering", tiny_model, forward.own)
    total = 0.0
    for number, row in enumerate(ids):
        (sequence,) = objective.sequences(labelled.spans(number), tiny_model.encoder())
        inside = torch.tensor(sequence.weights) > 0
        said = network(torch.tensor([row]))
        for name, logits in (("start", said.start_logits[0]), ("end", said.end_logits[0])):
            place = sequence.columns[name].index(1.0)
            total -= float(logits.masked_fill(~inside, -torch.inf).log_softmax(-1)[place]) / 2
    assert loss == pytest.approx(total / len(ids), rel=1e-5)


def test_a_word_is_read_from_its_own_tokens(tiny_model) -> None:
    encoder = tiny_model.encoder()
    for token in ("first", "last"):
        (sequence,) = Tag(labels=("O", "B-ACT", "I-ACT", "B-THING"), token=token).sequences(labelled.tagged(3), encoder)
        places = [place for place, weight in enumerate(sequence.weights) if weight]
        assert len(places) == len(labelled.words(3))
        for place, word in zip(places, labelled.words(3), strict=True):
            piece = encoder.decode([sequence.ids[place]]).strip()
            assert word.startswith(piece) if token == "first" else word.endswith(piece)


def test_a_span_is_the_answers_tokens(tiny_model) -> None:
    (sequence,) = Span().sequences(labelled.spans(4), tiny_model.encoder())
    first, last = sequence.columns["start"].index(1.0), sequence.columns["end"].index(1.0)
    assert tiny_model.encoder().decode(sequence.ids[first : last + 1]).strip() == labelled.words(4)[2]
    (none,) = Span().sequences(labelled.spans(5), tiny_model.encoder())
    assert none.columns["start"][-1] == none.columns["end"][-1] == 1.0


def test_bio_tags_become_entities() -> None:
    found = entities(["I-A", "I-A", "O", "B-A", "B-A", "I-B", "I-B"])
    assert found == [Entity("A", 0, 2), Entity("A", 3, 4), Entity("A", 4, 5), Entity("B", 5, 7)]


def test_several_labels_are_packed_without_loss(tiny_model) -> None:
    names = tuple(f"l{n}" for n in range(60))
    objective = Classify(kind="multi", labels=names, counts=(1,) * 60)
    chosen = [0, 23, 24, 47, 59]
    row = labelled.row(1, "x", ", ".join(names[n] for n in chosen))
    batch = pack(objective.sequences(row, tiny_model.encoder()), here=True)
    assert len(objective.columns) == -(-60 // BITS)
    assert objective.hot(batch)[0].nonzero().flatten().tolist() == chosen
    assert max(bits(range(60), 60)) < 2**24
    assert objective.joined([0.9 if n in chosen else 0.1 for n in range(60)]) == row.conversation.reference()
    empty = pack(objective.sequences(labelled.row(1, "x", "none"), tiny_model.encoder()), here=True)
    assert float(objective.hot(empty).sum()) == 0


def test_data_errors_say_the_value_and_what_to_do(tiny_model, tmp_path) -> None:
    encoder = tiny_model.encoder()
    with pytest.raises(DataError, match="the label 'rde' is none of the 3") as caught:
        settled("classify", tmp_path).sequences(labelled.row(7, "x", "rde"), encoder)
    assert "made:7" in str(caught.value)
    assert "did you mean: red" in str(caught.value)
    with pytest.raises(DataError, match="'many' is no number"):
        Regress(mean=0.0, deviation=1.0).sequences(labelled.row(1, "x", "many"), encoder)
    tags = Tag(labels=("O", "B-X"))
    with pytest.raises(DataError, match="no field 'tags'"):
        tags.sequences(labelled.row(1, "x", "none"), encoder)
    with pytest.raises(DataError, match="2 tags for 3 words"):
        tags.sequences(labelled.row(1, "a b c", "none", tags="O O"), encoder)
    with pytest.raises(DataError, match="not of the BIO scheme"):
        tags.sequences(labelled.row(1, "a b", "none", tags="O X"), encoder)
    with pytest.raises(DataError, match="does not stand in the text"):
        Span().sequences(labelled.row(1, "who?\n\nAnn reads", "Bob"), encoder)


def test_what_cannot_be_learnt_is_refused_before_it_starts(tmp_path) -> None:
    with pytest.raises(DataError, match="24 training rows have the same number"):
        Regress().settled(labelled.dataset(lambda n: labelled.row(n, "x", "1"), tmp_path / "a"))
    with pytest.raises(DataError, match="1 different labels: 'a'"):
        Classify().settled(labelled.dataset(lambda n: labelled.row(n, "x", "a"), tmp_path / "b"))
    with pytest.raises(RecipeError, match="cut takes the last token away"):
        Classify().check(TuneSection(overlong="cut"))
    with pytest.raises(RecipeError, match="which is no label"):
        build(Classify, {"labels": ["a", "b"], "costs": {"c": {"a": 2}}}, "classify")
