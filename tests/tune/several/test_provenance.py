"""What lies beside an adapter, and the warning for prompts of one form."""

from __future__ import annotations

import pytest

from sevenfold.chat.conversation import Conversation
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.tune.section import TuneSection
from sevenfold.tune.several import provenance
from tests.rows import write_split


def rows(opening: str, closing: str = "") -> list[Row]:
    questions = ["red", "blue sky", "green"]
    return [
        Row(
            Conversation.of(
                [
                    {"role": "user", "content": f"{opening}{question}{closing}"},
                    {"role": "assistant", "content": "yes"},
                ]
            ),
            f"x:{number}",
        )
        for number, question in enumerate(questions)
    ]


def written(folder, model, opening, closing="", method="lora"):
    data = folder.with_name(folder.name + "-rows")
    data.mkdir()
    dataset = Dataset(counts={"train": 3}).save(data)
    write_split(dataset, "train", rows(opening, closing))
    folder.mkdir()
    provenance.write(folder, TuneSection.model_validate({"method": method}), model, dataset)
    return folder


@pytest.mark.parametrize(
    ("prompts", "before", "behind"),
    [
        (["<u>[t] red<a>", "<u>[t] blue<a>"], "<u>[t] ", "<a>"),
        (["same", "same"], "same", ""),
        (["aa", "aaa"], "aa", ""),
        (["ab", "cb"], "", "b"),
        ([], "", ""),
    ],
)
def test_what_all_prompts_begin_and_end_with(prompts, before, behind) -> None:
    assert provenance.frame(prompts) == {"count": len(prompts), "before": before, "behind": behind}


def test_the_file_says_base_method_template_and_frame(tiny_model, tmp_path) -> None:
    record = provenance.read(written(tmp_path / "one", tiny_model, "[translate] "))
    assert (record["base"], record["method"], record["task"]) == ("tiny", "lora", None)
    assert record["prompts"]["before"].endswith("<|im_start|>user\n[translate] ")
    assert record["prompts"]["behind"].endswith("<|im_start|>assistant\n")
    assert "blue" not in str(record)


def test_tags_keep_adapters_apart_and_their_lack_is_warned_of(tiny_model, tmp_path) -> None:
    translate = written(tmp_path / "translate", tiny_model, "[translate] ")
    chat = written(tmp_path / "chat", tiny_model, "[chat] ")
    bare, other = (written(tmp_path / name, tiny_model, "") for name in ("bare", "other"))
    assert provenance.shared_formats([translate, chat, bare]) == []
    (warning,) = provenance.shared_formats([translate, bare, other])
    assert str(bare) in warning
    assert str(other) in warning
    assert "same form of prompts" in warning


def test_adapters_that_say_nothing_are_named(tmp_path) -> None:
    (warning,) = provenance.shared_formats([tmp_path / "a", tmp_path / "b"])
    assert "not known of" in warning
