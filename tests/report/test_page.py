"""The page: complete, self-contained, escaped, and there at every state of a run."""

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sevenfold import report
from sevenfold.record import Record
from tests.report.made import STAGES, make_run, recipe

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> $\\frac{1}{0}$ & سلام"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], ""
        self.feed(str(text))
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def values(self, name):
        return [value for key, value in self.attributes if key == name]


def page_of(record):
    path = report.write(record, recipe())
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return page_of(make_run(tmp_path_factory.mktemp("runs") / "demo"))


def test_what_the_cleaning_steps_counted_is_shown(whole):
    assert "pii: national id" in whole.text
    assert "language: fa" in whole.text


def test_it_answers_the_three_questions(whole):
    for words in ("It got better", "Did it get better?", "What did it cost?", "What should I do next?"):
        assert words in whole.text
    for part in ("Base against tuned", "Training", "Data", "Cost", "Proofs", "Deployment", "Monitoring", "Record"):
        assert part.lower().replace(" ", "-") in whole.values("id")


def test_a_check_is_shown_whatever_it_is_about(whole):
    assert "checks" in whole.values("id")
    for words in ("Refusing", "share of harmful requests refused", "It fell", "By language", "Mix refusals"):
        assert words in whole.text
    assert "Look at the check Refusing : refused got worse." in whole.text
    assert whole.text.count("Tell me") == 3
    assert "5-evaluate/checks/refusing.jsonl" in whole.values("href")


def test_figures_stand_with_the_file_they_are_from(whole):
    links = set(whole.values("href"))
    files = {
        "record.json",
        "recipe.yaml",
        "1-prepare/report.json",
        "3-setup/result.json",
        "4-tune/history.jsonl",
        "4-tune/result.json",
        "5-evaluate/result.json",
        "5-evaluate/rows.jsonl",
        "6-deploy/result.json",
        "7-monitor/result.json",
    }
    assert files <= links
    for figure in ("2,406", "4,884,480", "1.43 GB", "3.1e-07", "147", "demo.yaml:5"):
        assert figure in whole.text


def test_near_duplicates_leaks_and_the_dataset_before_are_told(tmp_path):
    record = make_run(tmp_path / "demo")
    folder = record.folder / "1-prepare"
    report = json.loads((folder / "report.json").read_text())
    report["near_duplicates"] = {"rows": 1234, "clusters": 56, "dropped": 789}
    report["leaks"] = {"rows": 7, "examples": [{"origin": "rows.jsonl:3", "of": "eval.jsonl:9", "words": "<b> same"}]}
    counts = {"kept": 1, "added": 2468, "removed": 3, "changed": 4, "moved": 5}
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "version.json").write_text(json.dumps({"content": "b" * 64, "parent": "a" * 64, "rows": counts}))
    page = page_of(record)
    for words in ("1,234 rows in 56 clusters, 789 dropped", "rows.jsonl:3", "eval.jsonl:9: <b> same", "2,468 added"):
        assert words in page.text


def test_the_data_page_says_what_came_stayed_and_went(whole):
    for words in (
        "2,406 rows came in from 1 source; 2,000 of them stay (83.1%).",
        "406 rows went: 301 say the same as another row, 80 have no reply to learn from and 25 are longer than the",
        "1,600 to learn from, 200 to choose the best state by and 200 to measure with",
        "The way of the rows",
        "One form for characters that look the same",
    ):
        assert words in whole.text


def test_examples_and_dropped_rows_are_shown_as_text(tmp_path):
    record = make_run(tmp_path / "demo", "prepare")
    folder = record.folder / "1-prepare"
    report = json.loads((folder / "report.json").read_text())
    report["examples"] = {"white_space": [{"origin": "rows.jsonl:3", "before": f"  a\u200b {EVIL}", "after": "سلام b"}]}
    report["advice"] = [{"what": "train an adapter", "why": f"because {EVIL}"}]
    (folder / "report.json").write_text(json.dumps(report))
    line = {"reason": "duplicate", "origin": "rows.jsonl:4", "messages": [{"role": "user", "content": EVIL}]}
    (folder / "dropped.jsonl").write_text((json.dumps(line) + "\n") * 5 + '{"reason": "dup')
    page = page_of(record)
    assert "script" not in page.tags
    assert "␣␣a⟨zero-width space⟩ <script>" in page.text
    assert page.text.count("rows.jsonl:4") == 3
    assert "duplicate: 3 of 301 dropped rows" in page.text
    assert "because <script>" in page.text


def test_tokens_are_shown_only_of_the_rows_and_the_model_of_now(tmp_path):
    record = make_run(tmp_path / "demo", "load")
    findings = {"title": "Tokens", "said": "It fits well.", "charts": [], "tables": [], "advice": ["Look here."]}
    of = {"prepare": record.stages["prepare"].identity, "load": record.stages["load"].identity}
    path = record.folder / "tokens.json"
    path.write_text(json.dumps({"of": of, "name": "tokens", "figures": {}, **findings}))
    page = page_of(record)
    assert "It fits well." in page.text
    assert "Look at this (Tokens): Look here." in page.text
    assert "tokens.json" in page.values("href")
    path.write_text(json.dumps({"of": {**of, "load": "other"}, "name": "tokens", "figures": {}, **findings}))
    assert "It fits well." not in page_of(record).text


def test_it_is_one_file_without_scripts(whole):
    assert not {"script", "link", "iframe", "object", "img"} & set(whole.tags)
    assert not [name for name, _ in whole.attributes if name.startswith("on")]
    targets = whole.values("src") + whole.values("href") + whole.values("xlink:href")
    assert not [target for target in targets if re.match(r"[a-z]+:|//", target)]


def test_ids_are_unique_and_pictures_find_theirs(whole):
    ids = whole.values("id")
    assert len(ids) == len(set(ids))
    wanted = {link[1:] for link in whole.values("xlink:href") if link.startswith("#")}
    assert wanted <= set(ids)
    assert whole.tags.count("svg") == 15


def test_pictures_take_the_pages_colours(whole):
    styles = " ".join(whole.values("style"))
    assert "var(--tuned)" in styles
    assert not re.findall(r"#0\d0\d0\d", styles)


def test_what_data_says_is_never_markup(tmp_path):
    record = make_run(tmp_path / "evil", word=EVIL)
    record.stages["tune"].state, record.stages["tune"].error = "failed", EVIL
    page = page_of(record)
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.text.count("<script>alert(1)</script>") > 8


def test_a_metrics_name_cannot_break_a_picture():
    from sevenfold.report import plots

    metric = {"interval": [0.1, 0.2], "difference": 0.15, "better": "yes", "direction": "higher"}
    drawn = Page(plots.differences({EVIL: metric}))
    assert "script" not in drawn.tags
    assert "<script>alert(1)" in drawn.text
    assert "script" not in Page(plots.scatter(EVIL, [0.1, 0.2], [0.3, 0.1], False)).tags


@pytest.mark.parametrize("last", STAGES)
def test_it_is_written_after_every_stage(tmp_path, last):
    page = page_of(make_run(tmp_path / "part", last=last))
    done = STAGES[: STAGES.index(last) + 1]
    assert ("base-against-tuned" in page.values("id")) == ("evaluate" in done)
    assert ("deployment" in page.values("id")) == ("deploy" in done)
    assert ("Not evaluated yet" in page.text) == ("evaluate" not in done)


def test_a_failed_stage_is_said_first(tmp_path):
    record = make_run(tmp_path / "failed", last="tune")
    (tmp_path / "failed" / "4-tune" / "result.json").unlink()
    with (tmp_path / "failed" / "4-tune" / "history.jsonl").open("a") as file:
        file.write('{"step": 121, "lo')
    record.stages["tune"].state, record.stages["tune"].error = "failed", "TrainingError: the loss is not a number"
    page = page_of(record)
    assert "Stopped in tune" in page.text
    assert "the loss is not a number" in page.text
    assert "Mend what stopped tune" in page.text
    assert "120 steps" in page.text


def test_results_of_older_inputs_are_marked(tmp_path):
    record = make_run(tmp_path / "stale")
    record.stages["prepare"].identity = "f" * 64
    page = page_of(record)
    assert "came from older inputs" in page.text
    assert "run evaluate again" in page.text


def test_a_failed_proof_and_an_alert_ask_for_attention(tmp_path):
    record = make_run(tmp_path / "alert")
    record.stages["tune"].proofs[0]["passed"] = False
    seen = tmp_path / "alert" / "7-monitor" / "result.json"
    seen.write_text(seen.read_text().replace('"firing": []', '"firing": ["errors > 5"]'))
    page = page_of(record)
    assert "Look at the proof mask: it failed." in page.text
    assert "An alert fires: errors > 5." in page.text


def test_text_runs_in_its_own_direction(whole):
    text = Path(report.__file__).parent.joinpath("page.html.jinja").read_text(encoding="utf-8")
    assert '<pre dir="auto">' in text
    assert "نتیجهٔ تابع را برمی‌گرداند." in whole.text


def test_it_is_fast_with_a_long_history(tmp_path):
    from sevenfold.evaluate.jsonl import write_lines

    record = make_run(tmp_path / "long")
    line = {"loss": 1.5, "learning_rate": 1e-4, "gradient_norm": 0.5, "tokens": 1, "seconds": 1.0}
    write_lines(tmp_path / "long" / "4-tune" / "history.jsonl", ({"step": i + 1, **line} for i in range(20_000)))
    started = time.process_time()
    path = report.write(Record.open(record.folder), recipe())
    assert time.process_time() - started < 3
    assert path.stat().st_size < 600_000


def test_the_validation_of_each_task_has_a_curve_and_its_lowest_step(tmp_path):
    record = make_run(tmp_path / "demo", "tune")
    path = record.folder / "4-tune" / "result.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found["validation_figures"] = {
        "0": {"loss of chat": 3.25, "loss of <sum>": 2.5, "reward": 1.0},
        "30": {"loss of chat": 1.125, "loss of <sum>": 1.5, "reward": 2.0},
        "90": {"loss of chat": 1.375, "loss of <sum>": 0.75, "reward": 3.0},
    }
    path.write_text(json.dumps(found), encoding="utf-8")
    page = page_of(record)
    assert "Validation loss of each task alone" in page.text
    assert "<sum>" in page.text
    for figure in ("3.25", "1.125", "1.375", "0.75"):
        assert figure in page.text
    assert "Validation loss of each task alone" not in page_of(make_run(tmp_path / "plain", "tune")).text


def test_what_an_objective_watches_has_a_picture_for_each_figure(tmp_path):
    record = make_run(tmp_path / "demo", "tune")
    folder = record.folder / "4-tune"
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    found["objective"] = {"dpo": {}}
    found["validation_figures"] = {"0": {"margin": 0.0, "<kl>": 0.0}, "90": {"margin": 1.5, "<kl>": 0.25}}
    (folder / "result.json").write_text(json.dumps(found), encoding="utf-8")
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["figures"] = {"margin": line["step"] / 80 - 0.2, "reward & more": float("nan" if line["step"] == 3 else 1)}
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    page = page_of(record)
    for name in ("Margin", "<kl>", "Reward & more"):
        assert name in page.text
    assert "margin by step" in page.text
    assert "Mean loss of the objective dpo over" in page.text
    assert "margin by step" not in page_of(make_run(tmp_path / "plain", "tune")).text


def test_groups_stand_apart_with_their_own_figures(tmp_path):
    record = make_run(tmp_path / "demo", "evaluate")
    path = record.folder / "5-evaluate" / "result.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    worse = {**found["metrics"]["chrf"], "better": "no", "base": 77.5, "rows": 31}
    found |= {"grouped_by": "task", "groups": {"translate": found["metrics"] | {"chrf": worse}}}
    path.write_text(json.dumps(found), encoding="utf-8")
    page = page_of(record)
    assert "The same over the rows of each task alone." in page.text
    assert "77.5" in page.text
    assert "chrf, tuned less base, by task" in page.text
    assert "Look at the rows of task translate: chrf got worse there." in page.text


def test_gaps_between_groups_and_other_models_have_their_figures(tmp_path):
    from sevenfold.evaluate.gaps import Apart, Gap

    record = make_run(tmp_path / "run")
    path = record.folder / "5-evaluate" / "result.json"
    found = json.loads(path.read_text())
    base, tuned = (
        Apart(worst="Fa", best="En", figures={"Fa": low, "En": 0.9}, gap=0.9 - low, interval=(0.01, 0.6), chance=0.02)
        for low in (0.7, 0.4)
    )
    gap = Gap(
        metric="chrf", unit="points", direction="higher", base=base, tuned=tuned, change=0.3,
        change_interval=(0.1, 0.5),
        word="widened", clear=True, rows={"Fa": 20, "En": 30}, small={"De": 3},
    )  # fmt: skip
    other = {"source": "runs/second", "rows": 60, "left_out": {"longer than the context": 4}, "not_compared": {}}
    sides = {side: {"chrf": found["metrics"]["chrf"]} for side in ("against_base", "against_tuned")}
    found |= {"grouped_by": "language", "gaps": {"chrf": gap.model_dump()}, "others": {"second": other | sides}}
    path.write_text(json.dumps(found))
    page = page_of(record)
    for words in ("Fa (0.4)", "En (0.9)", "widened", "De (3)", "second (runs/second) was asked 60 of the same rows"):
        assert words in page.text
    assert "is second better?" in page.text
    assert "is tuned better?" in page.text


def test_a_line_may_hold_what_some_programs_take_for_a_lines_end(tmp_path):
    from sevenfold.report.facts import whole_lines

    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "a\u2028b"}, ensure_ascii=False) + "\n{", encoding="utf-8")
    assert whole_lines(path) == [{"text": "a\u2028b"}]
