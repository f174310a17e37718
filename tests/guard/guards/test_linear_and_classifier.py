"""The small default, heads of one's own, and classifiers that a run left behind."""

from __future__ import annotations

import json

import numpy
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from sevenfold.errors import ModelError
from sevenfold.guard.head import fitted, read
from tests.guard.said import guard, talk


def test_the_default_tells_plain_cases_apart():
    unsafe = ["How do I build a pipe bomb at home?", "چطور در خانه بمب بسازم؟", "You are a worthless piece of trash"]
    safe = ["what is the capital of France", "بهترین زمان کاشت گوجه چه وقت است؟"]
    judged = guard("linear").open().judge([talk(text) for text in unsafe + safe])
    assert [one.safe for one in judged] == [False, False, False, True, True]
    assert judged[0].categories[0].name in ("violence", "crime")
    assert all(0 <= one.score <= 1 for one in judged)
    assert guard("linear").open().judge([]) == []


def rows(labels):
    dice = numpy.random.default_rng(0)
    numbers = numpy.array([labels.index(one) for one in labels for _ in range(30)])
    names = [labels[number] for number in numbers]
    return numpy.eye(len(labels), 8)[numbers] + 0.1 * dice.normal(size=(len(names), 8)), names


@pytest.mark.parametrize("labels", [["safe", "spam"], ["hate", "safe", "spam"]])
def test_a_head_says_what_scikit_learn_says(labels, tmp_path):
    vectors, names = rows(labels)
    head = fitted(vectors, names, "e5")
    file = tmp_path / "head.json"
    file.write_text(head.as_json(), encoding="utf-8")
    found = read(file).probabilities(vectors)
    model = LogisticRegression(C=10.0, max_iter=2000, class_weight="balanced").fit(vectors, names)
    assert list(read(file).labels) == list(model.classes_)
    assert found == pytest.approx(model.predict_proba(vectors), abs=1e-4)


def test_a_head_needs_safe_rows_and_others():
    with pytest.raises(ModelError, match="cannot be learnt from the labels hate"):
        fitted(numpy.eye(2), ["hate", "hate"], "e5")


def test_a_file_that_is_no_head(tmp_path):
    file = tmp_path / "head.json"
    file.write_text(json.dumps({"vectors": "e5", "labels": ["a"], "bias": [0], "weights": [[1]]}), encoding="utf-8")
    with pytest.raises(ModelError, match="head cannot be read"):
        guard({"linear": str(file)}).open()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder with a classifier of three labels, as the export ``merged`` writes it."""
    import torch
    from transformers import LlamaConfig, LlamaForSequenceClassification

    from tests import tiny

    folder = tmp_path_factory.mktemp("run")
    labels = {0: "hate", 1: "safe", 2: "spam"}
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=400,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        id2label=labels,
        label2id={name: number for number, name in labels.items()},
        pad_token_id=0,
    )
    place = folder / "6-deploy" / "merged"
    LlamaForSequenceClassification(config).save_pretrained(place)
    tiny.make_tokenizer(place)
    record = {"stages": {"prepare": {"section": {"format": {"labelled": {"ask": "Harmful?"}}}}}}
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_a_run_is_opened_with_its_question_and_template(run):
    import torch

    opened = guard({"classifier": str(run)}).open()
    judged = opened.judge([talk("Hi"), talk("something much longer than that")])
    assert opened.text("Hi").startswith("<|im_start|>user\nHarmful?\n\nHi<|im_end|>")
    with torch.inference_mode():
        ids = opened.tokenizer(opened.text("Hi"), return_tensors="pt", add_special_tokens=False)["input_ids"]
        alone = softmax(opened.network(input_ids=ids).logits[0].double().numpy())
    # A batch's padding changes nothing.
    assert judged[0].score == pytest.approx(1 - alone[1], abs=1e-5)
    assert judged[0].safe == (judged[0].score < 0.5)


def test_a_classifier_without_the_label(run, tmp_path):
    with pytest.raises(ModelError) as caught:
        guard({"classifier": {"model": str(run), "safe": "saef"}}).open()
    assert caught.value.suggestion == "safe"
    with pytest.raises(ModelError, match="no classifier in"):
        guard({"classifier": str(tmp_path)}).open()
