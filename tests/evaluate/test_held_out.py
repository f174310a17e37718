"""The rows that both models are measured on."""

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.held_out import held_out
from tests.evaluate.rows import dataset_of, talk


def draw(dataset, model, rows=64, context=512, seed=17):
    return held_out(dataset, model.encoder(), context, rows, seed)


def test_the_test_split_comes_first_then_validation(tmp_path, tiny_model):
    both = dataset_of(tmp_path / "both", test=[talk("a", "b")], validation=[talk("c", "d")] * 2)
    assert draw(both, tiny_model).split == "test"
    one = dataset_of(tmp_path / "one", validation=[talk("c", "d")] * 2)
    assert (draw(one, tiny_model).split, draw(one, tiny_model).available) == ("validation", 2)


def test_rows_are_drawn_with_the_seed_and_kept_in_order(tmp_path, tiny_model):
    dataset = dataset_of(tmp_path, test=[talk(f"question {i}", f"answer {i}") for i in range(50)])
    numbers = [question.number for question in draw(dataset, tiny_model, rows=10).questions]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 10
    assert numbers != list(range(10))
    assert numbers == [question.number for question in draw(dataset, tiny_model, rows=10).questions]
    assert numbers != [question.number for question in draw(dataset, tiny_model, rows=10, seed=18).questions]


def test_a_question_asks_what_a_server_would_and_scores_the_reply_alone(tmp_path, tiny_model):
    encoder = tiny_model.encoder()
    question = draw(dataset_of(tmp_path, test=[talk("the data", "the answer")]), tiny_model).questions[0]
    assert question.prompt_ids == encoder.prompt(question.prompt)
    supervised = [
        token for token, weight in zip(question.sequence.ids, question.sequence.weights, strict=True) if weight
    ]
    assert encoder.decode(supervised) == "the answer<|im_end|>"
    assert question.reference == "the answer"


def test_what_cannot_be_asked_is_counted(tmp_path, tiny_model):
    rows = [talk("a", "b"), [("user", "no reply")], talk("long " * 300, "b"), talk("long " * 300, "c")]
    found = draw(dataset_of(tmp_path, test=rows), tiny_model, context=200)
    assert [question.number for question in found.questions] == [0]
    assert found.left_out == {"without a reply": 1, "longer than the context": 2}


def test_no_held_out_rows(tmp_path, tiny_model):
    with pytest.raises(DataError, match="no held-out rows") as caught:
        draw(dataset_of(tmp_path, train=[talk("a", "b")]), tiny_model)
    assert "prepare.split" in str(caught.value)


def test_no_row_that_can_be_asked(tmp_path, tiny_model):
    dataset = dataset_of(tmp_path, test=[talk("long " * 300, "b")] * 2)
    with pytest.raises(DataError, match="none of the 2 held-out rows") as caught:
        draw(dataset, tiny_model, context=50)
    assert "2 longer than the context" in str(caught.value)
