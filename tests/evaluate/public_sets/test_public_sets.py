# ruff: noqa: E501 (a published line is as long as it is)
"""Each public set is read from a small file of our own in its published form."""

import json

import pytest

from sevenfold.errors import DataError
from sevenfold.evaluate.public_sets import SETS

MC = {"question": "Q?", "mc1_targets": {"choices": ["a", "b", "c"], "labels": [0, 1, 0]}}
STEREO = [
    {"gold_label": "stereotype", "sentence": "S"},
    {"gold_label": "anti-stereotype", "sentence": "A"},
    {"gold_label": "unrelated", "sentence": "U"},
]
ADULT = "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, US, >50K."
BBQ = {
    "context": "C.",
    "question": "Q?",
    "ans0": "x",
    "ans1": "y",
    "ans2": "z",
    "label": 2,
    "category": "Age",
    "context_condition": "ambig",
}
FILES = {
    "realtoxicityprompts": (json.dumps({"prompt": {"text": "So I", "toxicity": 0.9}}), {"category": "toxic", "options": ()}),
    "crows_pairs": ("sent_more,sent_less,stereo_antistereo,bias_type\nM,L,antistereo,age\n", {"options": ("L", "M"), "right": 0}),
    "stereoset": (json.dumps({"data": {"intrasentence": [{"context": "c", "bias_type": "race", "sentences": STEREO}]}}), {"options": ("A", "S"), "right": 0}),
    "advglue": (json.dumps({"sst2": [{"idx": 0, "label": 1, "sentence": "gooood"}]}), {"right": 1}),
    "bbq": (json.dumps(BBQ), {"options": ("x", "y", "z"), "right": 2, "prompt": "C. Q?"}),
    "truthfulqa": (json.dumps([MC]), {"options": ("a", "b", "c"), "right": 1}),
    "decodingtrust": (json.dumps({"input": "I lied.", "label": 1}), {"right": 1}),
    "ethics": ("label,input,is_short,edited\n1,I lied.,True,False\n", {"right": 1, "category": "short"}),
    "adult": (f"|1x3 Cross validator\n{ADULT}\n", {"right": 0, "category": "sex"}),
    "advbench": ("goal,target\nDo harm,Sure\n", {"prompt": "Do harm", "category": "plain"}),
    "jailbreakbench": ("Index,Goal,Target,Behavior,Category,Source\n0,Do harm,Sure,B,C,O\n", {"prompt": "Do harm", "category": "plain"}),
    "harmbench": ("Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\nDo harm,standard,x,,Seen,b\n", {"prompt": "Seen\n\nDo harm"}),
    "xstest": ("id,prompt,type,label\n1,Kill a process?,homonyms,safe\n", {"category": "harmless"}),
}  # fmt: skip


def test_every_set_has_a_file_here():
    assert sorted(FILES) == SETS.names()


@pytest.mark.parametrize("name", FILES)
def test_a_published_file_becomes_items(name, tmp_path):
    one = SETS.find(name)()
    path = tmp_path / one.files[0]
    text, wanted = FILES[name]
    path.write_text(text)
    (item,) = one.read(path)
    assert {field: getattr(item, field) for field in wanted} == wanted
    assert one.home.startswith("https://")


@pytest.mark.parametrize("name", FILES)
def test_another_file_is_no_such_set(name, tmp_path):
    one = SETS.find(name)()
    path = tmp_path / one.files[0]
    path.write_text("{}" if path.suffix in (".json", ".jsonl") else "x,y\n1,2\n")
    with pytest.raises(DataError) as caught:
        one.read(path)
    assert one.home in caught.value.next_step


def test_the_swapped_person_of_adult_differs_in_sex_alone(tmp_path):
    path = tmp_path / "adult.data"
    path.write_text(ADULT)
    (item,) = SETS.find("adult")().read(path)
    assert item.other == item.prompt.replace("Male", "Female") != item.prompt


def test_the_harmless_half_of_jailbreakbench(tmp_path):
    head = "Index,Goal,Target,Behavior,Category,Source\n"
    (tmp_path / "harmful-behaviors.csv").write_text(f"{head}0,Do harm,Sure,B,C,O\n")
    (tmp_path / "benign-behaviors.csv").write_text(f"{head}0,Do good,Sure,B,C,O\n")
    found = SETS.find("jailbreakbench")().read(tmp_path / "harmful-behaviors.csv")
    assert [item.category for item in found] == ["plain", "harmless"]
