"""The names, the suites, and the sets that come along."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from docs import hooks
from sevenfold.evaluate.benchmarks import known

TABLE = (
    "glue super_glue hellaswag truthfulqa mmlu ifeval bbh math gpqa musr mmlu_pro arc coqa drop squad trec wmt xnli "
    "piqa winogrande bigcodebench"
)
OWN = sorted(path.stem for path in known.OWN.glob("*.yaml"))
SCRIPT = Path("recipes/benchmarks/make.py").resolve()


def rows(name: str, part: str = "asked"):
    return [json.loads(line) for line in (known.OWN / f"{name}-{part}.jsonl").read_text("utf-8").splitlines()]


def test_the_tables_names_are_known_and_say_what_they_are():
    assert set(TABLE.split()) <= set(known.benchmarks())
    for name, one in known.benchmarks().items():
        assert all((one.measures, one.metric, one.data, one.uses)), name
        assert set(one.uses) <= set(known.suites()), name
        assert one.tasks or one.instead, f"{name} cannot be had and nothing is said to stand in"


def test_every_task_is_one_of_lm_evals_or_comes_along():
    pytest.importorskip("lm_eval")
    there = known.task_names_of_lm_eval() | known.task_names(known.OWN)
    assert len(there) > 10_000
    assert [task for one in known.benchmarks().values() for task in one.tasks if task not in there] == []


@pytest.mark.slow
def test_the_quick_look_for_names_finds_what_lm_eval_finds():
    pytest.importorskip("lm_eval")
    from lm_eval.tasks import TaskManager

    assert set(TaskManager().task_index) <= known.task_names_of_lm_eval()


def test_suites_are_of_known_names_with_reasons_and_hold_a_set_that_comes_along():
    assert set(known.suites()) == {"general", "code", "retrieval", "translation", "persian"}
    for suite, members in known.suites().items():
        for name, reason in members.items():
            assert suite in known.benchmarks()[name].uses, (suite, name)
            assert len(reason) > 10, (suite, name)
        assert suite == "general" or set(members) & set(OWN)


def test_the_page_has_every_name_and_every_reason():
    page = hooks.fill("<!-- benchmarks -->\n\n<!-- suites -->\n")
    for name, one in known.benchmarks().items():
        assert f"| `{name}` | {one.title} |" in page
    assert all(f"| {reason} |" in page for members in known.suites().values() for reason in members.values())


def test_a_suite_and_names_are_asked_once_each():
    assert known.chosen("code", ["arc", "mbpp", "arc"])[-1] == "arc"
    assert known.chosen("code", ["mbpp"]).count("mbpp") == 1
    assert known.tasks_of("arc") == ["arc_easy", "arc_challenge"]
    assert known.tasks_of("mmlu_anatomy") == ["mmlu_anatomy"]


@pytest.mark.parametrize("name", OWN)
def test_a_set_that_comes_along_is_honest(name):
    asked, shown = rows(name), rows(name, "shown")
    assert len(asked) > 50
    assert len({json.dumps(row) for row in asked}) == len(asked)
    assert not {json.dumps(row) for row in asked} & {json.dumps(row) for row in shown}
    task = yaml.safe_load((known.OWN / f"{name}.yaml").read_text("utf-8"))
    assert task["metadata"]["version"]
    if "answer" not in asked[0]:
        return
    places = Counter(row["answer"] for row in asked)
    assert max(places.values()) - min(places.values()) <= 1
    for row in asked:
        assert len(set(row["choices"])) == len(row["choices"]) == 4
    share = 1 / len(asked[0]["choices"])
    assert known.benchmarks()[name].chance == pytest.approx(share)
    rights = Counter(row["choices"][row["answer"]] for row in asked)
    assert rights.most_common(1)[0][1] <= 4, "an answer that is right often can be guessed"


def test_longer_answers_are_not_more_often_right():
    """Who always takes the longest choice, or the shortest, is right no more often than a guesser might be."""
    for name in OWN:
        asked = rows(name)
        if "answer" not in asked[0]:
            continue
        for best in (max, min):
            right = sum(row["choices"].index(best(row["choices"], key=len)) == row["answer"] for row in asked)
            assert right / len(asked) < 0.25 + 2 * (0.25 * 0.75 / len(asked)) ** 0.5 + 0.05, (
                name,
                best.__name__,
                right,
            )


def test_the_script_writes_the_same_rows(tmp_path):
    for package in ("babel", "num2words", "django"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True, capture_output=True)
    # What is documented in Python differs with its version; the other rows only with a package's.
    of_python = ("python_modules", "find_passage")
    names = [name for name in OWN if name not in of_python or sys.version_info[:2] == (3, 11)]
    for path in (path for name in names for path in known.OWN.glob(f"{name}-*.jsonl")):
        assert (tmp_path / path.name).read_text("utf-8") == path.read_text("utf-8"), path.name
