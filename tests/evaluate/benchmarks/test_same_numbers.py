"""The figures are those of lm-eval's own backend for transformers models, to the last digit that it shows."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import pytest

from sevenfold.chat.encoder import Encoder
from sevenfold.evaluate.section import EvaluateSection
from tests.evaluate.benchmarks.local import TASKS, subject_of, write_tasks

lm_eval = pytest.importorskip("lm_eval")


@pytest.fixture(scope="module")
def network(tiny_model):
    import torch

    return tiny_model.network(torch.float32).eval()


@pytest.fixture
def folder(tmp_path):
    return write_tasks(tmp_path / "tasks")


@pytest.fixture(scope="module")
def expected(network, tiny_model, tmp_path_factory):
    """lm-eval's results without the chat template."""
    return theirs(network, tiny_model.encoder().tokenizer, write_tasks(tmp_path_factory.mktemp("theirs")), False)


def theirs(network, tokenizer, folder, chat):
    """lm-eval's results with its own backend."""
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    backend = HFLM(pretrained=network, tokenizer=tokenizer, batch_size=4)
    with contextlib.chdir(folder):
        return lm_eval.simple_evaluate(
            backend,
            tasks=list(TASKS),
            task_manager=TaskManager(include_path=str(folder), include_defaults=False),
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
            log_samples=True,
        )


def ours(network, encoder, folder, tmp_path, chat=False, tasks=TASKS, **fields):
    check = EvaluateSection(
        checks=[{"benchmarks": {"tasks": list(tasks), "include": str(folder), "limit": None, "chat": chat, **fields}}]
    ).checks[0]
    return check.examine(subject_of(network, encoder, tmp_path))


@pytest.mark.parametrize("chat", [False, True])
def test_every_figure_and_error_is_the_same(network, tiny_model, folder, tmp_path, chat, expected):
    encoder = tiny_model.encoder()
    if chat:
        expected = theirs(network, encoder.tokenizer, folder, chat)
    found = ours(network, encoder, folder, tmp_path, chat)
    assert {score.task for score in found.scores} == set(TASKS)
    assert len(found.scores) == 4 + 1 + 4 + 2 + 1
    for score in found.scores:
        metric, _, behind = score.metric.partition(",")
        value = expected["results"][score.task][score.metric]
        error = expected["results"][score.task][f"{metric}_stderr,{behind}"]
        if metric == "byte_perplexity":
            # An exponential: its last digits are rounding of single precision.
            assert score.value == pytest.approx(value, rel=1e-5)
        else:
            assert f"{score.value:.4f}" == f"{value:.4f}", score
        assert str(error) == "N/A" or f"{score.error:.4f}" == f"{error:.4f}", score
        assert score.version == "2.0"
        assert score.shots == TASKS[score.task].get("num_fewshot", 0)


def test_every_answer_and_likelihood_is_the_same(network, tiny_model, folder, tmp_path, expected):
    ours(network, tiny_model.encoder(), folder, tmp_path)
    kept = [json.loads(line) for line in (tmp_path / "base.jsonl").read_text("utf-8").splitlines()]
    written = {sample["resps"][0][0] for sample in expected["samples"]["written"]}
    assert {line["text"] for line in kept if "text" in line} == written
    wanted = sorted(response[0][0] for sample in expected["samples"]["choices"] for response in sample["resps"])
    nats = sorted(line["nats"] for line in kept if "nats" in line)
    for value in wanted:
        assert min(abs(value - one) for one in nats) < 1e-3


def test_a_tokenizer_that_writes_a_beginning_does_so_once(network, tiny_model, folder, tmp_path):
    """As Llama's and Gemma's: before plain texts, and not before a template's text, which has one."""
    from tokenizers.processors import TemplateProcessing

    from sevenfold.evaluate.benchmarks.adapter import EngineLM

    # One of its own: the model's is shared by the whole suite.
    encoder = Encoder(tiny_model.tokenizer(), tiny_model.stop_ids)
    encoder.tokenizer._tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)]
    )
    lm = EngineLM(subject_of(network, encoder, tmp_path))
    assert lm.tok_encode("the data")[0] == 1
    assert lm.tok_encode("<|im_start|>user").count(1) == 1
    assert 1 not in lm.tok_encode("the data", add_special_tokens=False)
    for chat in (False, True):
        expected = theirs(network, encoder.tokenizer, folder, chat)
        for score in ours(network, encoder, folder, tmp_path, chat).scores:
            value = expected["results"][score.task][score.metric]
            assert score.value == pytest.approx(value, rel=1e-5), (chat, score)


@pytest.mark.slow
def test_the_command_says_the_same(network, tiny_model, folder, tmp_path):
    """lm-eval as a person calls it, with the model's folder."""
    model = tmp_path / "model"
    network.save_pretrained(model)
    tiny_model.encoder().tokenizer.save_pretrained(model)
    words = ["--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--tasks", ",".join(TASKS)]
    words += ["--include_path", str(folder), "--output_path", str(tmp_path / "out"), "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-m", "lm_eval", "run", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = (tmp_path / "out").rglob("results_*.json")
    expected = json.loads(path.read_text("utf-8"))["results"]
    for score in ours(network, tiny_model.encoder(), folder, tmp_path).scores:
        assert f"{score.value:.4f}" in done.stdout or score.metric.startswith("byte"), score
        assert score.value == pytest.approx(expected[score.task][score.metric], rel=1e-5)
