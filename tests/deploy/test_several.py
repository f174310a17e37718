"""Several adapters through deployment: all are exported, and a request chooses one where the engine can change them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
import torch

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.deploy.section import DeploySection
from sevenfold.deploy.serve.exchange import Exchange
from sevenfold.deploy.service import Service
from sevenfold.deploy.stage import deploy
from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.record import Entry
from tests.deploy.conftest import make_tuned
from tests.deploy.serve import conftest as serving
from tests.rows import write_split

TASKS = ("chat", "sum", "translate")
QUESTION = "what is the data"


@pytest.fixture(scope="module")
def tuned(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tune") / "4-tune"
    return make_tuned(model, folder, "several", tasks=list(TASKS), rank=4, answers="sum")


@pytest.fixture
def dataset(tmp_path):
    (tmp_path / "1-prepare").mkdir()
    made = Dataset(counts={"test": 6}).save(tmp_path / "1-prepare")
    said = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "it is"}]
    rows = [Row(Conversation.of(said), f"rows.csv:{line}", {"task": TASKS[line % 3]}) for line in range(6)]
    write_split(made, "test", rows)
    return made


@pytest.fixture
def entry(tmp_path):
    folder = tmp_path / "garden" / "6-deploy"
    folder.mkdir(parents=True)
    return Entry(folder)


@pytest.fixture(scope="module")
def expected(model, tuned):
    """What each adapter answers alone, from a network that holds no other."""
    from sevenfold.tune.methods.lora import Lora

    found = {}
    for task in TASKS:
        network = model.network(torch.float32)
        Lora(rank=4).load(network, tuned.weights / task)
        prompt = model.encoder().prompt([Message("user", QUESTION)])
        found[task] = (
            TransformersEngine(network, model.encoder()).generate([prompt], Sampling(max_new_tokens=8))[0].text
        )
    assert len(set(found.values())) == 3
    return found


def section_of(**fields):
    serve = {"context": 128, "max_new_tokens": 8}
    return DeploySection.model_validate({"serve": serve, "ask": 3, "export": ["adapter", "merged"], **fields})


def test_the_service_answers_each_row_by_its_tasks_adapter(model, tuned, dataset, environment, entry, expected):
    service = deploy(section_of(engine="transformers"), dataset, model, environment, tuned, entry)
    assert service.tasks == ["sum", "chat", "translate"]
    assert [(asked.model, asked.answer) for asked in service.smoke] == [
        (f"garden/{task}", expected[task]) for task in TASKS
    ]
    lines = (entry.folder / "traffic.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Exchange(**json.loads(line)).model for line in lines] == [f"garden/{task}" for task in TASKS]
    said = next(note for note in entry.record.notes if "requests choose" in note)
    assert "garden/sum, garden/chat, garden/translate; garden is the first" in said


@pytest.fixture
def served(model, tuned, dataset, environment, entry):
    deploy(section_of(engine="transformers", ask=0), dataset, model, environment, tuned, entry)
    engine = Service.open(entry.folder).open_engine(threads=1)
    with engine, serving.serving(engine, context=128) as found:
        yield found


def ask(client, name, **options):
    messages = [{"role": "user", "content": QUESTION}]
    return client.chat.completions.create(model=name, messages=messages, max_tokens=8, **options)


def test_a_request_chooses_by_the_models_name(served, expected):
    client, model = served.client(), serving.MODEL
    for name, task in [(model, "sum"), *((f"{model}/{task}", task) for task in TASKS), *zip(TASKS, TASKS, strict=True)]:
        reply = ask(client, name)
        assert reply.choices[0].message.content == expected[task], name
        chunks = ask(client, name, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == expected[task]
    assert ask(client, "chat").model == f"{model}/chat"
    assert served.exchanges[-1].model == f"{model}/chat"


def test_requests_at_the_same_time_do_not_mix(served, expected):
    client, names = served.client(), [*TASKS, serving.MODEL] * 4
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda name: ask(client, name).choices[0].message.content, names))
    assert found == [expected[name if name in TASKS else "sum"] for name in names]


def test_all_are_listed_and_others_are_refused(served):
    client, model = served.client(), serving.MODEL
    assert [one.id for one in client.models.list()] == [model, f"{model}/sum", f"{model}/chat", f"{model}/translate"]
    assert client.models.retrieve(f"{model}/chat").id == client.models.retrieve("chat").id == f"{model}/chat"
    assert client.models.retrieve("chat").model_extra["parent"] == model
    with pytest.raises(openai.NotFoundError, match=f"no model '{model}/sing'; available: {model}, {model}/sum"):
        ask(client, f"{model}/sing")


def test_the_export_has_a_folder_a_task_that_peft_loads_as_its_card_says(
    model, tuned, dataset, environment, entry, expected
):
    service = deploy(section_of(engine="transformers", ask=0), dataset, model, environment, tuned, entry)
    folder = service.export("adapter")
    assert "a folder a task: chat, sum, translate; at the top 'sum'" in service.records["adapter"].notes
    assert "of 3 adapters that of the task 'sum' alone is in it" in service.records["merged"].notes
    code = (folder / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    source = model.card.source or model.card.name
    names: dict = {}
    exec(code.replace(f"{source!r}", f"{str(model.weights)!r}").replace("this/folder", str(folder)), names)
    encoder, network = model.encoder(), names["model"]
    prompt = encoder.prompt([Message("user", QUESTION)])
    for task in (None, *TASKS):
        if task:
            network.set_adapter(task)
        answer = TransformersEngine(network.eval(), encoder).generate([prompt], Sampling(max_new_tokens=8))[0]
        assert answer.text == expected[task or "sum"]


def test_an_engine_on_merged_weights_serves_the_answering_task_and_says_so(model, tuned, dataset, environment, entry):
    gguf = {"gguf": {"outtype": "f32"}}
    service = deploy(
        section_of(export=["adapter", gguf], engine="xllamacpp"), dataset, model, environment, tuned, entry
    )
    assert service.tasks == []
    assert [(asked.model, asked.origin) for asked in service.smoke] == [
        ("garden", "rows.csv:1"), ("garden", "rows.csv:4"),
    ]  # fmt: skip
    prompt = model.encoder().prompt([Message("user", QUESTION)])
    alone = TransformersEngine(tuned.network(model, torch.float32), model.encoder())
    with service.open_engine(threads=1) as engine:
        assert engine.next_log_probs(prompt, 5) == pytest.approx(alone.next_log_probs(prompt, 5), abs=0.02)
    assert "of 3 adapters that of the task 'sum' alone is in it" in service.records["gguf"].notes
    said = next(note for note in entry.record.notes if "alone: the engine" in note)
    assert "'sum' alone: the engine xllamacpp opens merged weights" in said
    assert "deploy.engine: transformers serves sum, chat, translate" in said


def test_the_context_of_the_service_holds_for_every_adapter(served):
    messages = [{"role": "user", "content": "data " * 300}]
    client = served.client()
    with pytest.raises(openai.BadRequestError, match="context of transformers has 128"):
        client.chat.completions.create(model="chat", messages=messages, max_tokens=8)
