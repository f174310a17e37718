"""The check benchmarks, through the stage and alone."""

from __future__ import annotations

import json
import sys
import time

import pytest
import yaml

from sevenfold.errors import DataError, MachineError, ModelError, RecipeError
from sevenfold.evaluate.benchmarks import known, surroundings
from sevenfold.evaluate.examined import Weighing
from sevenfold.evaluate.section import EvaluateSection
from sevenfold.evaluate.stage import evaluate
from sevenfold.record import Entry
from sevenfold.schema import build
from tests.evaluate.benchmarks.local import subject_of, write_tasks
from tests.evaluate.rows import TASK, dataset_of, lines

pytest.importorskip("lm_eval")
tasks = pytest.importorskip("sevenfold.evaluate.benchmarks.tasks")
NEEDS_CODE = {"unsafe_code": True}


def check_of(**fields):
    return EvaluateSection(checks=[{"benchmarks": fields}]).checks[0]


@pytest.fixture
def folder(tmp_path):
    return write_tasks(tmp_path / "tasks")


@pytest.fixture(scope="module")
def network(tiny_model):
    import torch

    return tiny_model.network(torch.float32).eval()


def both(check, network, tiny_model, tmp_path):
    """What the check finds where base and tuned are the same model."""
    encoder = tiny_model.encoder()
    sides = [check.examine(subject_of(network, encoder, tmp_path, name)) for name in ("base", "tuned")]
    return check.findings(*sides, Weighing(0, 1000, 0.95)), sides


def change(folder, name, **fields):
    """Another task file beside one of the folder, with some fields changed."""
    task = yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))
    (folder / "changed.yaml").write_text(yaml.safe_dump({**task, "task": "changed", **fields}), "utf-8")
    return "changed"


def test_a_recipe_compares_document_by_document_and_keeps_what_was_said(
    tmp_path, folder, tiny_model, environment, tuned
):
    (tmp_path / "5-evaluate").mkdir()
    dataset = dataset_of(tmp_path / "1-prepare", test=TASK)
    entry = Entry(tmp_path / "5-evaluate")
    section = EvaluateSection(
        checks=[{"benchmarks": {"tasks": ["choices", "written", "trec"], "include": str(folder), "limit": 8}}],
        metrics=["loss"],
        resamples=1000,
        general_text="none",
    )
    report = evaluate(section, dataset, tiny_model, environment, tuned, entry)
    found = report.checks["benchmarks"]
    assert found["comparisons"]["choices acc"]["rows"] == 8
    assert found["comparisons"]["written exact_match (whole)"]["rows"] == 8
    assert found["more"] == {
        "versions": {"choices": "2.0", "written": "2.0"},
        "not_asked": {"trec": "lm-eval does not have it"},
    }
    assert "not asked: trec" in found["said"]
    assert [table["title"] for table in found["tables"]] == ["The tasks' own figures", "Not asked"]
    items = lines(entry.folder / "checks" / "benchmarks.jsonl")
    assert [item["base"]["document"] for item in items] == [*range(8), *range(8)]
    assert items[0]["base"]["expected"] == "the model"
    assert items[0]["base"]["said"] in ("the model", "سلام دنیا", "reads 0", "x")
    before = {name: (entry.folder / f"{name}.jsonl").read_text("utf-8") for name in ("base", "tuned")}
    again = evaluate(section, dataset, tiny_model, environment, tuned, entry)
    assert again.checks == report.checks
    assert {name: (entry.folder / f"{name}.jsonl").read_text("utf-8") for name in before} == before


def test_a_killed_run_asks_only_what_is_left(tmp_path, folder, network, tiny_model):
    check = check_of(tasks=["choices"], include=str(folder))
    whole = check.examine(subject_of(network, tiny_model.encoder(), tmp_path))
    path = tmp_path / "base.jsonl"
    kept = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(kept[:5]) + kept[5][:20], "utf-8")
    asked = []
    subject = subject_of(network, tiny_model.encoder(), tmp_path)
    score = subject.engine.score
    subject.engine.score = lambda sequences: asked.append(len(sequences)) or score(sequences)
    assert check.examine(subject).values == whole.values
    assert asked == [len(kept) - 5]


def test_the_engine_gets_all_at_once_with_what_begins_alike_together(tmp_path, folder, network, tiny_model):
    given = []
    subject = subject_of(network, tiny_model.encoder(), tmp_path)
    score = subject.engine.score
    subject.engine.score = lambda sequences: given.append([one.ids for one in sequences]) or score(sequences)
    check_of(tasks=["classes"], include=str(folder)).examine(subject)
    (all_at_once,) = given
    assert len(all_at_once) == 24
    for one, other in zip(all_at_once[::2], all_at_once[1::2], strict=True):
        assert one[:8] == other[:8]


def test_virtual_tokens_stand_before_all_that_is_read(tmp_path, folder, network, tiny_model):
    subject = subject_of(network, tiny_model.encoder(), tmp_path, lead=(5, 6))
    given = []
    score, generate = subject.engine.score, subject.engine.generate
    subject.engine.score = lambda sequences: given.extend(one.ids for one in sequences) or score(sequences)
    subject.engine.generate = lambda prompts, sampling: given.extend(prompts) or generate(prompts, sampling)
    check_of(tasks=["choices", "written", "rolling"], include=str(folder)).examine(subject)
    assert given
    assert all(ids[:2] == [5, 6] and len(ids) <= 513 for ids in given)


def test_chance_is_the_choices_share_and_scores_are_corrected_for_it(tmp_path, folder, network, tiny_model):
    found, _ = both(check_of(tasks=["choices"], include=str(folder)), network, tiny_model, tmp_path)
    line = found.tables[0].lines[0]
    raw = float(line[2].split(" ")[0])
    assert line[4] == "0.2500"
    assert float(line[5]) == pytest.approx((raw - 0.25) / 0.75, abs=1e-4)
    assert "no better than guessing in choices (acc,none)" in found.advice[0]


def test_a_group_is_compared_as_a_whole_and_task_by_task(tmp_path, folder, network, tiny_model):
    (folder / "group.yaml").write_text(
        "group: pair\ntask: [choices, last_word]\naggregate_metric_list: [{metric: acc, weight_by_size: true}]\n"
    )
    found, sides = both(check_of(tasks=["pair"], include=str(folder)), network, tiny_model, tmp_path)
    assert found.comparisons["pair acc"].rows == 24
    assert {name: one["pair acc"].rows for name, one in found.groups.items()} == {"choices": 12, "last_word": 12}
    whole = next(score for score in sides[0].scores if score.task == "pair")
    assert whole.value == pytest.approx(found.comparisons["pair acc"].base)


def test_guessing_in_a_group_is_the_mean_over_its_documents(tmp_path, folder, network, tiny_model):
    yes_or_no = change(
        folder, "classes", metric_list=[{"metric": "acc", "aggregation": "mean", "higher_is_better": True}]
    )
    (folder / "group.yaml").write_text(f"group: both\ntask: [choices, {yes_or_no}]\n")
    (folder / "other.yaml").write_text("group: unknown\ntask: [choices, last_word]\n")
    check = check_of(tasks=["both", "unknown"], include=str(folder))
    found = check.examine(subject_of(network, tiny_model.encoder(), tmp_path))
    assert found.chances["both acc"] == pytest.approx((0.25 + 0.5) / 2)
    assert "unknown acc" not in found.chances


def test_the_rows_that_come_along_are_asked_without_a_network(tmp_path, network, tiny_model):
    check = check_of(tasks=["fa_countries", "python_modules"], limit=4)
    started = time.monotonic()
    found, _ = both(check, network, tiny_model, tmp_path)
    assert time.monotonic() - started < 20
    assert [line[7] for line in found.tables[0].lines] == ["4 of 252"] * 2 + ["4 of 135"] * 2


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"tasks": ["hellaswga"]}, "did you mean: hellaswag"),
        ({"tasks": ["choises"]}, "did you mean: choices"),
        ({"tasks": []}, "name tasks, or a suite"),
        ({"suite": "persain"}, "general"),
        ({"tasks": ["arc"], "run_code": ["humanevla"]}, "did you mean: humaneval"),
        ({"tasks": ["arc"], "include": "nowhere"}, "there is no folder"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_is_trained(folder, fields, says):
    with pytest.raises(RecipeError) as caught:
        build(type(check_of(tasks=["arc"])), {"include": str(folder), **fields}, "benchmarks")
    assert says in str(caught.value)


def test_an_unknown_name_tells_of_suites():
    with pytest.raises(RecipeError, match="there is no benchmark") as caught:
        known.check(["qqqqqqqqqq"], None)
    assert "suite: NAME" in caught.value.describe()
    assert "persian" in caught.value.describe()


def test_rows_that_are_not_here_are_said_within_seconds_and_the_others_are_asked(tmp_path, folder, network, tiny_model):
    missing = change(folder, "choices", dataset_path="someone/not-here", dataset_kwargs=None)
    found, _ = both(check_of(tasks=[missing, "classes"], include=str(folder)), network, tiny_model, tmp_path)
    assert list(found.comparisons) == ["classes brier_score"]
    ((name, why, bring),) = found.tables[-1].lines
    assert name == "changed"
    assert "someone/not-here" in why
    assert "looked in" in why
    assert "HF_HUB_OFFLINE is set" in why
    assert "hf download --repo-type dataset someone/not-here" in bring
    assert "include" in bring


def test_a_benchmark_that_is_half_here_is_asked_by_that_half(tmp_path, folder, network, tiny_model, monkeypatch):
    gone = change(folder, "choices", dataset_path="someone/not-here", dataset_kwargs=None)
    monkeypatch.setattr(tasks, "tasks_of", lambda name: ["classes", gone])
    found, _ = both(check_of(tasks=["arc"], include=str(folder)), network, tiny_model, tmp_path)
    assert list(found.comparisons) == ["arc brier_score"]
    assert list(found.more["not_asked"]) == ["arc (changed)"]


def test_where_nothing_can_be_asked_it_is_an_error_with_the_way_out(tmp_path, folder, network, tiny_model):
    missing = change(folder, "choices", dataset_path="someone/not-here", dataset_kwargs=None)
    check = check_of(tasks=[missing, "bigcodebench"], include=str(folder))
    with pytest.raises(DataError) as caught:
        check.examine(subject_of(network, tiny_model.encoder(), tmp_path))
    said = caught.value.describe()
    assert "someone/not-here" in said
    assert "bigcodebench: lm-eval does not have it" in said
    assert "fa_countries" in said


def test_a_file_that_is_not_there_is_named(tmp_path, folder, network, tiny_model):
    missing = change(folder, "choices", dataset_kwargs={"data_files": {"test": "gone.jsonl"}})
    found, _ = both(check_of(tasks=[missing, "classes"], include=str(folder)), network, tiny_model, tmp_path)
    assert "gone.jsonl" in found.tables[-1].lines[0][1]


def test_a_hub_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(surroundings, "SECONDS", 0.2)
    started = time.monotonic()
    # An address that is set aside for documentation: nobody is there (RFC 5737).
    assert not surroundings.answers("http://192.0.2.1/")
    assert time.monotonic() - started < 1


def test_what_runs_code_is_asked_only_where_the_recipe_names_it(tmp_path, folder, network, tiny_model):
    change(folder, "written", **NEEDS_CODE)
    fields = {"tasks": ["changed", "classes"], "include": str(folder), "limit": 2}
    found, _ = both(check_of(**fields), network, tiny_model, tmp_path)
    assert found.more["not_asked"] == {"changed": "it runs what the model writes"}
    found, _ = both(check_of(**fields, run_code=["changed"]), network, tiny_model, tmp_path)
    assert found.more["not_asked"] == {}
    assert "changed exact_match (whole)" in found.comparisons


def test_code_of_the_hub_is_never_fetched(tmp_path, folder, network, tiny_model):
    from evaluate import config

    unknown = change(folder, "written", metric_list=[{"metric": "made_up", "aggregation": "mean", "hf_evaluate": True}])
    before = config.HF_EVALUATE_OFFLINE
    found, _ = both(check_of(tasks=[unknown, "classes"], include=str(folder)), network, tiny_model, tmp_path)
    assert list(found.more["not_asked"]) == ["changed"]
    assert config.HF_EVALUATE_OFFLINE is before
    script = change(
        folder, "choices", dataset_path=str(folder / "script.py"), dataset_kwargs={"trust_remote_code": True}
    )
    (folder / "script.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    found, _ = both(check_of(tasks=[script, "classes"], include=str(folder)), network, tiny_model, tmp_path)
    assert list(found.more["not_asked"]) == ["changed"]
    assert not (folder / "ran").exists()


def test_without_lm_eval_the_extra_is_named(monkeypatch, tmp_path, network, tiny_model):
    monkeypatch.setitem(sys.modules, "lm_eval.tasks", None)
    monkeypatch.delitem(sys.modules, "sevenfold.evaluate.benchmarks.tasks", raising=False)
    with pytest.raises(MachineError) as caught:
        check_of(tasks=["fa_numbers"]).examine(subject_of(network, tiny_model.encoder(), tmp_path))
    assert "pip install 'sevenfold[benchmarks]'" in caught.value.describe()


def test_settings_that_no_engine_here_knows_are_said(tmp_path, folder, network, tiny_model):
    beams = change(folder, "written", generation_kwargs={"until": ["\n"], "num_beams": 4})
    found, _ = both(check_of(tasks=[beams, "classes"], include=str(folder)), network, tiny_model, tmp_path)
    assert "num_beams: 4" in found.more["not_asked"]["changed"]


def test_an_engine_that_fails_is_no_benchmarks_fault(tmp_path, folder, network, tiny_model):
    subject = subject_of(network, tiny_model.encoder(), tmp_path)

    def fail(sequences):
        raise ModelError("out of memory")

    subject.engine.score = fail
    with pytest.raises(ModelError, match="out of memory"):
        check_of(tasks=["classes", "written"], include=str(folder)).examine(subject)


def test_drawn_answers_differ_where_a_task_asks_twice(tmp_path, folder, network, tiny_model):
    drawn = {"until": [], "max_gen_toks": 8, "do_sample": True, "temperature": 1.0, "top_p": 0.9}
    twice = change(folder, "written", generation_kwargs=drawn, repeats=2, num_fewshot=0)
    check_of(tasks=[twice], include=str(folder), limit=6).examine(subject_of(network, tiny_model.encoder(), tmp_path))
    kept = [json.loads(line) for line in (tmp_path / "base.jsonl").read_text("utf-8").splitlines()]
    assert len(kept) == 12
    assert len({line["text"] for line in kept}) > 6


def test_random_numbers_of_the_run_go_on_as_if_nothing_was_drawn(tmp_path, folder, network, tiny_model):
    import random

    import numpy as np
    import torch

    def states():
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

    before = states()
    check_of(tasks=["written"], include=str(folder)).examine(subject_of(network, tiny_model.encoder(), tmp_path))
    assert states() == before


def test_a_changed_row_is_another_result(folder):
    check = check_of(tasks=["choices"], include=str(folder))
    before = check.fingerprints()
    (folder / "rows.jsonl").write_text("{}\n")
    assert check.fingerprints() != before
