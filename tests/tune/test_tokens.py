"""Rows as tokens in the cache: shared where the content is the same, made anew where it is not."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from sevenfold import cache
from sevenfold.errors import DataError, ModelError
from sevenfold.load.model import Model
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import Entry, file_digest
from sevenfold.tune import encoded, tokens
from sevenfold.tune.section import TuneSection
from sevenfold.tune.tokens import content_key, encoded_split
from tests import rows, tiny

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def split(dataset, tiny_model, tmp_path):
    """The training split under a section, told to an entry of its own."""

    def make(number: int = 0, **fields: object):
        entry = Entry(tmp_path / f"{number}-tune")
        return encoded_split("train", TuneSection.model_validate(fields), dataset, tiny_model, entry), entry

    return make


def kept(own_cache: Path) -> list[Path]:
    return sorted(path for path in (own_cache / "tokens").iterdir() if path.is_dir())


def bits(folder: Path) -> dict[str, str]:
    return {path.name: file_digest(path) for path in folder.iterdir()}


def test_rows_are_those_of_the_plain_encoder(split, dataset, tiny_model) -> None:
    found, _ = split()
    plain = tiny_model.encoder()
    for index, row in enumerate(dataset.rows("train")):
        assert found.row(index) == plain.sequences(row.conversation)
        assert found.origins[index] == row.origin


def test_a_second_run_reads_what_the_first_wrote_and_is_told_the_same(split, own_cache, monkeypatch) -> None:
    first, told = split(0, max_length=60)
    monkeypatch.setattr(encoded, "encode", lambda *_: pytest.fail("encoded again"))
    # Another method and another length of training ask for the same tokens.
    again, told_again = split(1, max_length=60, method="full", epochs=3, batch=2)
    assert len(kept(own_cache)) == 1
    assert len(again) == len(first) == told.record.metrics["train_rows"]
    assert told_again.record.metrics == told.record.metrics
    assert told_again.record.notes == told.record.notes
    assert "rows are over tune.max_length = 60" in told.record.notes[0]
    lists = [(entry.folder / "encoded" / "train.overlong.json").read_text() for entry in (told, told_again)]
    assert lists[0] == lists[1]
    assert len(json.loads(lists[0])) == 20 - len(first)


def test_virtual_tokens_count_as_tokens(split, dataset, tiny_model) -> None:
    plain, _ = split(0, max_length=100)
    found, _ = split(1, max_length=100, method={"prompt": {"tokens": 10}})
    longest = max(map(len, plain.sequences(range(len(plain)))))
    assert found.sequence(0) == plain.sequence(0).led(range(400, 410))
    assert max(map(len, found.sequences(range(len(found))))) <= 100
    _, told = split(2, max_length=longest, method={"prompt": {"tokens": 10}})
    assert "longest " + str(longest + 10) in told.record.notes[0]


def test_an_emptied_cache_is_filled_with_the_same_bits(split, own_cache) -> None:
    split(0, max_length=60)
    (folder,) = kept(own_cache)
    before = bits(folder)
    shutil.rmtree(own_cache)
    split(1, max_length=60)
    assert kept(own_cache) == [folder]
    assert bits(folder) == before


def test_everything_that_decides_the_tokens_is_in_the_key(dataset, tiny_model, tmp_path, monkeypatch) -> None:
    section = TuneSection()
    other_rows = Dataset(counts=dataset.counts).save(tmp_path / "rows")
    rows.write_split(other_rows, "train", [Row(rows.conversation(7), "made:7")])
    moved = Dataset(counts=dataset.counts).save(tmp_path / "moved")
    shutil.copy(dataset.path("train"), moved.path("train"))

    def model(name: str, stop: int = 2, template: str = tiny.CHATML) -> Model:
        tiny.make_tokenizer(tmp_path / name / "tokenizer", template)
        return Model(card=tiny_model.card, weights=tiny_model.weights, stop_ids=[stop]).save(tmp_path / name)

    keys = [
        content_key("train", section, dataset, tiny_model),
        content_key("validation", section, dataset, tiny_model),
        content_key("train", section, other_rows, tiny_model),
        content_key("train", section, dataset, model("stop", stop=3)),
        content_key("train", section, dataset, model("template", template=tiny.CHATML + " ")),
        content_key("train", TuneSection(max_length=60), dataset, tiny_model),
        content_key("train", TuneSection(overlong="cut"), dataset, tiny_model),
        content_key("train", TuneSection.model_validate({"method": "prompt"}), dataset, tiny_model),
        content_key("train", own_objective(tmp_path, "1.0"), dataset, tiny_model),
        content_key("train", own_objective(tmp_path, "2.0"), dataset, tiny_model),
    ]
    monkeypatch.setattr(tokens, "code_digest", lambda *_: "other code")
    keys.append(content_key("train", section, dataset, tiny_model))
    monkeypatch.undo()
    assert len(set(keys)) == len(keys)
    assert content_key("train", section, moved, model("same")) == keys[0]


def own_objective(folder: Path, factor: str) -> TuneSection:
    """A section with an objective of a user's own file."""
    path = folder / f"mine{factor[0]}" / "mine.py"
    path.parent.mkdir()
    path.write_text(
        "from sevenfold.tune.objectives import Objective\n\n\n"
        "class Mine(Objective):\n"
        "    def sequences(self, conversation, encoder):\n        return encoder.sequences(conversation)\n\n"
        f"    def loss(self, logprobs_N, weights_N):\n        return -{factor} * (weights_N * logprobs_N).sum()\n"
    )
    return TuneSection.model_validate({"objective": {"file": str(path)}})


def test_a_refused_row_leaves_nothing_in_the_cache(split, own_cache) -> None:
    with pytest.raises(DataError, match=r"made:\d+"):
        split(0, max_length=60, overlong="refuse")
    assert kept(own_cache) == []


def test_a_row_that_the_template_refuses_is_named(dataset, tiny_model, tmp_path, own_cache) -> None:
    folder = tmp_path / "2-load"
    refusing = "{% if 'say 4' in messages[0]['content'] %}{{ raise_exception('no fours') }}{% endif %}" + tiny.CHATML
    tiny.make_tokenizer(folder / "tokenizer", refusing)
    model = Model(card=tiny_model.card, weights=tiny_model.weights, stop_ids=[2]).save(folder)
    with pytest.raises(ModelError, match=r"no fours[\s\S]*made:4; roles: user"):
        encoded_split("train", TuneSection(), dataset, model, Entry(tmp_path / "4-tune"))
    assert kept(own_cache) == []


def test_what_was_not_used_for_longest_goes_first(split, own_cache, monkeypatch) -> None:
    for number in range(3):
        split(number, max_length=500 + number)
        newest = max(kept(own_cache), key=lambda path: path.stat().st_mtime)
        long_ago = time.time() - 10_000 + number
        os.utime(newest, (long_ago, long_ago))
    # Asked for again, so it is not the oldest any more.
    split(0, max_length=500)
    size = sum(path.stat().st_size for path in kept(own_cache)[0].iterdir())
    cache.trim("tokens", 2 * size + size // 2)
    assert len(kept(own_cache)) == 2
    monkeypatch.setattr(encoded, "encode", lambda *_: pytest.fail("encoded again"))
    split(0, max_length=500)
    split(2, max_length=502)
    cache.trim("tokens", 0)
    assert len(kept(own_cache)) == 2, "what was asked for a moment ago stays"
