from __future__ import annotations

import pytest

from sevenfold.errors import DataError, RecipeError
from sevenfold.prepare.section import PrepareSection
from tests.prepare.conftest import section_of


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("rows.csv", ["csv"]),
        ("rows.tsv", ["csv"]),
        ("rows.jsonl.gz", ["jsonl"]),
        ("data/*.parquet", ["parquet"]),
        ("rows.csv.zip", ["csv"]),
        ("s3://bucket/rows.parquet", ["parquet"]),
        ("https://example.org/page.html", ["web"]),
        ("pages/*.html", ["html"]),
        ("rows.xlsx", ["excel"]),
        ("rows.feather", ["arrow"]),
        ({"csv": "rows.csv"}, ["csv"]),
        ({"csv": {"path": "rows.txt", "delimiter": ";"}}, ["csv"]),
        ({"python": "stdlib"}, ["python"]),
        ("cldr", ["cldr"]),
        ({"cldr": ["en", "de"]}, ["cldr"]),
        (["rows.csv", {"jsonl": "more.jsonl"}], ["csv", "jsonl"]),
    ],
)
def test_a_source_is_chosen(value, kinds):
    section = section_of(source=value)
    assert [type(source).__module__.rsplit(".", 1)[-1] for source in section.source] == kinds
    assert PrepareSection(**section.model_dump(mode="json")) == section


def test_a_name_alone_needs_a_path():
    with pytest.raises(RecipeError, match="the source 'csv' needs a path") as caught:
        section_of(source="csv")
    assert caught.value.next_step == "source: {csv: PATH}"


def test_a_path_without_a_known_extension_asks_for_the_kind():
    with pytest.raises(RecipeError, match="cannot tell from") as caught:
        section_of(source="rows.cvs")
    assert "csv" in caught.value.alternatives


def test_a_misspelt_kind_gets_the_nearest():
    with pytest.raises(RecipeError) as caught:
        section_of(source={"jsnol": "rows.jsonl"})
    assert caught.value.suggestion == "jsonl"


def test_an_empty_list_is_refused():
    with pytest.raises(RecipeError, match="no source is named"):
        section_of(source=[])


def test_a_folder_s_kind_is_that_of_its_files(write, tmp_path):
    write("data/a.jsonl", "{}")
    assert section_of(source=str(tmp_path / "data")).source[0].suffixes == (".jsonl", ".ndjson")
    write("data/b.csv", "a,b")
    with pytest.raises(RecipeError, match="several kinds") as caught:
        section_of(source=str(tmp_path / "data"))
    assert caught.value.alternatives == ("csv", "jsonl")


def test_a_missing_file_is_refused_with_what_lies_beside_it(write, tmp_path):
    write("questions.csv", "a,b\n1,2\n")
    write("other.txt", "text")
    section = section_of(source=str(tmp_path / "question.csv"))
    with pytest.raises(DataError, match="there is no file") as caught:
        section.outside()
    assert caught.value.suggestion == "questions.csv"
    assert set(caught.value.alternatives) == {"questions.csv", "other.txt"}


def test_the_json_schema_offers_paths_and_kinds():
    schema = PrepareSection.model_json_schema()["properties"]["source"]
    assert {"csv", "jsonl", "python"} <= {name for choice in schema["anyOf"] for name in choice.get("properties", {})}
