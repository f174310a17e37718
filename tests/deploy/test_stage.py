from __future__ import annotations

import json

import pytest

from sevenfold.deploy.section import DeploySection
from sevenfold.deploy.serve.exchange import Exchange
from sevenfold.deploy.service import Service
from sevenfold.deploy.stage import deploy, replaced
from sevenfold.errors import ModelError
from sevenfold.generate.engine import Sampling
from sevenfold.record import Entry, digest, file_digest


@pytest.fixture
def entry(tmp_path):
    folder = tmp_path / "garden" / "6-deploy"
    folder.mkdir(parents=True)
    return Entry(folder)


def section_of(**fields):
    serve = {"context": 128, "max_new_tokens": 8, **fields.pop("serve", {})}
    return DeploySection.model_validate({"serve": serve, "ask": 2, **fields})


def test_all_forms_are_written_and_the_service_answers_held_out_questions(model, tuned, dataset, environment, entry):
    gave = deploy(section_of(), dataset, model, environment, tuned, entry)
    service = Service.open(entry.folder)
    assert service == gave
    assert service.exports == {"merged": "merged", "adapter": "adapter", "gguf": "gguf"}
    assert (service.model, service.serves, service.engine) == ("garden", "gguf", {"xllamacpp": {"cache_mib": 256}})
    for name, record in service.records.items():
        files = {path: file_digest(service.export(name) / path) for path in record.files}
        assert (record.files, record.sha256) == (files, digest(files))
        assert entry.record.metrics[f"{name}_bytes"] == record.bytes > 0
    assert sorted(path.name for path in entry.folder.iterdir()) == [
        "adapter", "gguf", "merged", "result.json", "tokenizer", "traffic.jsonl",
    ]  # fmt: skip
    assert [asked.origin for asked in service.smoke] == ["rows.csv:2", "rows.csv:3"]
    assert [asked.reference for asked in service.smoke] == ["about what is the data", "about سلام"]
    lines = (entry.folder / "traffic.jsonl").read_text(encoding="utf-8").splitlines()
    told = [Exchange(**json.loads(line)) for line in lines]
    assert [exchange.answer for exchange in told] == [asked.answer for asked in service.smoke]
    assert [exchange.messages for exchange in told] == [asked.messages for asked in service.smoke]


def test_the_kept_service_opens_an_engine_that_answers_as_the_smoke_test(model, tuned, dataset, environment, entry):
    from sevenfold.chat.conversation import Message

    section = section_of(export=["merged"], engine="transformers")
    deploy(section, dataset, model, environment, tuned, entry)
    service = Service.open(entry.folder)
    first = service.smoke[0]
    with service.open_engine(threads=1) as engine:
        prompt = engine.encoder.prompt([Message("user", first.messages[0]["content"])])
        answer = engine.generate([prompt], Sampling(max_new_tokens=8))[0]
    assert (answer.text, answer.completion_tokens) == (first.answer, first.completion_tokens)


def test_full_tuning_leaves_the_adapter_out_and_says_so(model, whole, dataset, environment, entry):
    section = section_of(export=["adapter", "merged"], engine="transformers", ask=0)
    service = deploy(section, dataset, model, environment, whole, entry)
    assert list(service.exports) == ["merged"]
    assert "no adapter" in service.skipped["adapter"]
    assert any("export adapter: left out" in note for note in entry.record.notes)


def test_a_question_that_the_service_refuses_is_named_by_its_row(model, tuned, dataset, environment, entry):
    section = section_of(export=["merged"], engine="transformers", serve={"context": 16})
    with pytest.raises(ModelError) as caught:
        deploy(section, dataset, model, environment, tuned, entry)
    assert "rows.csv:2" in str(caught.value)
    assert "the context of transformers has 16" in str(caught.value)


def test_an_export_that_fails_leaves_the_earlier_one(tmp_path):
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "old").write_text("old")

    def fail() -> None:
        with replaced(tmp_path / "merged") as folder:
            (folder / "new").write_text("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [path.name for path in tmp_path.rglob("*")] == ["merged", "old"]
    with replaced(tmp_path / "merged") as folder:
        (folder / "new").write_text("new")
    assert [path.name for path in tmp_path.rglob("*")] == ["merged", "new"]
