"""The likelihood of prompts and of the model's own answers, beside plain calls of transformers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import DataError
from sevenfold.evaluate.held_out import Question
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from tests.evaluate.rows import TASK, dataset_of, rows_of, talk


@pytest.fixture
def report(tiny_model, environment, tuned, tmp_path):
    dataset = dataset_of(
        tmp_path / "1-prepare", test=[*TASK[:3], talk("a longer question of the data 7", "the answer")]
    )
    (tmp_path / "5-evaluate").mkdir()
    asked = EvaluateSection(
        metrics=["prompt_perplexity", "uncertainty"], max_new_tokens=8, resamples=1000, general_text="none"
    )
    return evaluate(asked, dataset, tiny_model, environment, tuned, Entry(tmp_path / "5-evaluate"))


def log_probs(network, ids: list[int]) -> list[float]:
    """Each token's, behind those before it; none of the first."""
    with torch.no_grad():
        said = network(torch.tensor([ids])).logits[0].log_softmax(-1)
    return [float(said[place - 1, ids[place]]) for place in range(1, len(ids))]


def test_the_figures_are_those_of_the_plain_model(report, tiny_model, tmp_path) -> None:
    network, encoder = tiny_model.network(torch.float32), tiny_model.encoder()
    surprise, tokens, unsure = 0.0, 0, []
    for row in rows_of(report):
        prompt = encoder.encode(f"<|im_start|>user\n{row['prompt'][0]['content']}<|im_end|>\n<|im_start|>assistant\n")
        surprise -= sum(log_probs(network, prompt))
        tokens += len(prompt) - 1
        with torch.no_grad():
            ids = network.generate(
                torch.tensor([prompt]),
                attention_mask=torch.ones(1, len(prompt)),
                max_new_tokens=8,
                do_sample=False,
                eos_token_id=sorted(tiny_model.stop_ids),
                pad_token_id=0,
            )[0].tolist()
        unsure.append(-np.mean(log_probs(network, ids)[len(prompt) - 1 :]))
        assert row["base"]["own"]["tokens"] == row["base"]["tokens"] == len(ids) - len(prompt)
    assert report.metrics["prompt_perplexity"].base == pytest.approx(math.exp(surprise / tokens), rel=1e-4)
    assert report.metrics["uncertainty"].base == pytest.approx(np.mean(unsure), rel=1e-4)


def test_a_model_that_learnt_its_answer_is_surer_of_it(report) -> None:
    """Every answer is the one that it was taught, so its uncertainty is the loss of that."""
    compared = report.metrics["uncertainty"]
    assert compared.tuned < 0.1 < compared.base
    assert compared.direction == "lower"
    assert {row["tuned"]["text"] for row in rows_of(report)} == {"the answer"}


def test_virtual_tokens_are_not_scored() -> None:
    question = Question(0, "rows:1", (), "", [7, 8, 9], TokenSequence([7, 8, 9, 1], [0, 0, 0, 1]))
    assert question.prompt_sequence().weights == [0, 1, 1]
    led = question.led([100, 101]).prompt_sequence()
    assert (led.ids, led.weights) == ([100, 101, 7, 8, 9], [0, 0, 0, 1, 1])


def test_a_row_without_a_prompt_is_named() -> None:
    with pytest.raises(DataError, match="no prompt of which a likelihood"):
        Question(0, "rows:1", (), "", [7], TokenSequence([7, 1], [0, 1])).prompt_sequence()
