from __future__ import annotations

import pytest

from sevenfold.errors import DataError
from sevenfold.prepare.sources.hf import HuggingFace
from tests.prepare.conftest import read_all, section_of

datasets = pytest.importorskip("datasets")
ROWS = [{"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"}]


@pytest.fixture
def saved(tmp_path):
    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_saved_dataset_and_its_arrow_file_are_read(saved):
    assert [row.values for row in read_all(HuggingFace(path=str(saved)))] == ROWS
    file = next(saved.glob("*.arrow"))
    found = read_all(HuggingFace(path=str(file)))
    assert [(row.values, row.origin) for row in found] == [(ROWS[0], f"{file}:1"), (ROWS[1], f"{file}:2")]
    assert HuggingFace(path=str(saved)).fingerprints()


def test_a_saved_dataset_is_known_from_its_plain_path(saved):
    assert isinstance(section_of(source=str(saved)).source[0], HuggingFace)


def test_a_split_is_chosen_and_a_wrong_one_refused(tmp_path):
    parts = {"train": datasets.Dataset.from_list(ROWS[:1]), "test": datasets.Dataset.from_list(ROWS[1:])}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    path = str(tmp_path / "saved")
    assert [row.values for row in read_all(HuggingFace(path=path, split="test"))] == ROWS[1:]
    with pytest.raises(DataError) as caught:
        read_all(HuggingFace(path=path, split="tests"))
    assert caught.value.suggestion == "test"


def test_a_folder_that_is_no_dataset_is_refused(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="holds no dataset") as caught:
        read_all(HuggingFace(path=str(tmp_path)))
    assert "rows.csv" in caught.value.alternatives
