"""Several adapters side by side: each learns what it would learn alone, and lies in a PEFT folder of its own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from sevenfold.errors import DataError, ModelError, RecipeError
from sevenfold.prepare.dataset import Dataset, Row
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.passes import pack
from sevenfold.tune.methods.lora import Lora
from sevenfold.tune.methods.several import Several
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from tests.rows import conversation, write_split

TASKS = ["chat", "translate"]
IDS = torch.tensor([[1, 5, 9, 2, 30]])


@pytest.fixture
def tagged(tmp_path) -> Dataset:
    """Rows of two tasks in turn, told apart by a column and by their origin."""
    rows = [
        Row(conversation(number), f"{TASKS[number % 2]}.jsonl:{number}", {"task": TASKS[number % 2]})
        for number in range(26)
    ]
    (tmp_path / "tagged").mkdir()
    made = Dataset(counts={"train": 20, "validation": 6}).save(tmp_path / "tagged")
    write_split(made, "train", rows[:20])
    write_split(made, "validation", rows[20:])
    return made


def section(**fields) -> TuneSection:
    method = {"several": {"tasks": TASKS, "rank": 4, **fields.pop("method", {})}}
    return TuneSection.model_validate({"method": method, "learning_rate": 1e-2, "steps": 6, "batch": 4, **fields})


def train(tmp_path, dataset, model, environment, **fields):
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section(**fields), dataset, model, environment, entry), entry


@torch.no_grad()
def logits(network):
    return network.eval()(IDS).logits


def test_an_adapters_gradient_is_what_its_rows_alone_give(tagged, tiny_model) -> None:
    chosen = section()
    torch.manual_seed(0)
    network = tiny_model.network(torch.float32)
    chosen.method.attach(network)
    for weight in chosen.method.trainable(network).values():
        torch.nn.init.normal_(weight, std=0.1)
    encoder = tiny_model.encoder()
    sequences = [one for row in tagged.head("train", 6) for one in chosen.sequences(row, encoder)]
    assert {one.task for one in sequences} == {0, 1}
    Forward(network, torch.float32)(pack(sequences)).sum().backward()
    for number, task in enumerate(TASKS):
        alone = tiny_model.network(torch.float32)
        Lora(rank=4).attach(alone)
        for name, weight in alone.named_parameters():
            if "lora_" in name:
                weight.data.copy_(network.get_parameter(name.replace(".weight", f".{task}.weight")))
        own = [replace(one, task=0) for one in sequences if one.task == number]
        Forward(alone, torch.float32)(pack(own)).sum().backward()
        for name, weight in alone.named_parameters():
            if "lora_" in name:
                found = network.get_parameter(name.replace(".weight", f".{task}.weight")).grad
                torch.testing.assert_close(found, weight.grad, rtol=1e-3, atol=1e-4)


def test_each_tasks_validation_loss_is_that_of_its_rows_alone(tagged, tmp_path, tiny_model, environment) -> None:
    tuned, _ = train(tmp_path, tagged, tiny_model, environment, steps=6, validate_every=3, keep="last")
    assert set(tuned.validation_figures) == {0, 3, 6}
    network, encoder = tuned.network(tiny_model, torch.float32), tiny_model.encoder()
    totals = []
    for task in TASKS:
        tuned.chosen_method().select(network, task)
        nll, tokens = 0.0, 0
        for row in tagged.rows("validation"):
            if row.fields["task"] == task:
                (sequence,) = encoder.sequences(row.conversation)
                with torch.no_grad():
                    logprobs = torch.log_softmax(network(torch.tensor([sequence.ids])).logits[0], -1)
                for place in (place for place, weight in enumerate(sequence.weights) if weight):
                    nll -= float(logprobs[place - 1, sequence.ids[place]])
                    tokens += 1
        assert tuned.validation_figures[6][f"loss of {task}"] == pytest.approx(nll / tokens, rel=1e-4)
        totals.append((nll, tokens))
    whole = sum(nll for nll, _ in totals) / sum(tokens for _, tokens in totals)
    assert tuned.validation_losses[6] == pytest.approx(whole, rel=1e-4)


@pytest.mark.parametrize("activations", ["keep", "recompute"])
def test_each_task_learns_its_own(activations, tagged, tmp_path, tiny_model, environment) -> None:
    tuned, entry = train(
        tmp_path, tagged, tiny_model, environment, steps=15, engine={"activations": activations}, tokens_per_pass=100
    )
    assert tuned.validation_losses[tuned.best_step] < 0.8 * tuned.validation_losses[0]
    assert "train rows by task: chat 10, translate 10" in entry.record.notes
    network = tiny_model.network(torch.float32)
    method = tuned.chosen_method()
    method.load(network, tuned.weights)
    answers = []
    for task in TASKS:
        method.select(network, task)
        answers.append(logits(network))
    assert not torch.allclose(*answers)


def test_computing_again_changes_nothing(tagged, tmp_path, tiny_model, environment) -> None:
    kept, _ = train(tmp_path, tagged, tiny_model, environment)
    (tmp_path / "4-tune").rename(tmp_path / "kept")
    again, _ = train(tmp_path, tagged, tiny_model, environment, engine={"activations": "recompute"})
    assert again.losses == pytest.approx(kept.losses, rel=1e-5)


def test_every_task_has_a_folder_that_peft_reads(tagged, tmp_path, tiny_model, environment) -> None:
    from peft import PeftModel

    tuned, _ = train(tmp_path, tagged, tiny_model, environment, method={"answers": "translate"})
    method = tuned.chosen_method()
    network = tuned.network(tiny_model, torch.float32)
    torch.testing.assert_close(
        logits(network), logits(PeftModel.from_pretrained(tiny_model.network(torch.float32), tuned.weights))
    )
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tuned.weights / "chat", adapter_name="chat")
    theirs.load_adapter(tuned.weights / "translate", adapter_name="translate")
    for task in TASKS:
        theirs.set_adapter(task)
        method.select(network, task)
        torch.testing.assert_close(logits(theirs), logits(network), rtol=1e-4, atol=1e-4)
        assert json.loads((tuned.weights / task / "sevenfold.json").read_text())["task"] == task
    assert json.loads((tuned.weights / "sevenfold.json").read_text())["task"] == "translate"


def test_one_folder_is_an_adapter_of_the_method_lora(tagged, tmp_path, tiny_model, environment) -> None:
    tuned, _ = train(tmp_path, tagged, tiny_model, environment)
    alone, ours = tiny_model.network(torch.float32), tuned.network(tiny_model, torch.float32)
    Lora(rank=4).load(alone, tuned.weights / "translate")
    tuned.chosen_method().select(ours, "translate")
    torch.testing.assert_close(logits(alone), logits(ours))


@pytest.mark.parametrize("proof", ["packing", "accumulation", "resume"])
def test_the_proofs_hold_with_rows_of_several_tasks(proof, tagged, tmp_path, tiny_model, environment) -> None:
    case = Case(section(), tagged, tiny_model, environment, tmp_path)
    assert {one.task for one in case.short_sequences()} == {0, 1}
    assert proofs.run(proof, case).passed
    case.tuned, _ = train(tmp_path, tagged, tiny_model, environment)
    assert proofs.run(proof, case).passed


def test_a_task_with_all_the_rows_is_trained_as_lora_trains_it(tagged, tmp_path, tiny_model, environment) -> None:
    only = [row for row in tagged.rows("train") if row.fields["task"] == "translate"]
    (tmp_path / "only").mkdir()
    alone = Dataset(counts={"train": len(only)}).save(tmp_path / "only")
    write_split(alone, "train", only)
    tuned, entry = train(tmp_path, alone, tiny_model, environment)
    assert any("no row is of the task 'chat'" in note for note in entry.record.notes)
    (tmp_path / "4-tune").rename(tmp_path / "side")
    place = Entry(tmp_path / "4-tune")
    place.folder.mkdir()
    plain = section().model_copy(update={"method": Lora(rank=4)})
    other = tune(plain, alone, tiny_model, environment, place)
    assert tuned.losses == pytest.approx(other.losses, rel=1e-4)
    assert tuned.trainable_parameters == 2 * other.trainable_parameters


def test_a_source_can_say_the_task(tagged, tiny_model) -> None:
    method = Several(tasks=TASKS, column="none", sources={"chat.jsonl:*": "chat", "translate*": "translate"})
    routing = method.routing()
    assert [routing.task(row) for row in tagged.head("train", 4)] == [0, 1, 0, 1]


def test_rows_without_a_task_or_with_another_are_refused(tagged) -> None:
    row = tagged.head("train", 1)[0]
    with pytest.raises(DataError, match="no column 'kind'") as caught:
        Several(tasks=TASKS, column="kind").routing().task(row)
    assert "chat.jsonl:0" in str(caught.value)
    assert "available: task" in str(caught.value)
    with pytest.raises(DataError, match="of the task 'chat', which has no adapter") as caught:
        Several(tasks=["chatt", "b"]).routing().task(row)
    assert caught.value.suggestion == "chatt"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tasks": ["a", "a"]}, "'a' is empty, comes twice"),
        ({"tasks": ["a/b"]}, "'a/b' is empty"),
        ({"tasks": ["a"], "answers": "b"}, "answers names 'b'"),
        ({"tasks": ["a"], "sources": {"*": "c"}}, "sources names 'c'"),
        ({"tasks": []}, "at least 1 item"),
    ],
)
def test_mistakes_in_fields_are_named(fields, said) -> None:
    with pytest.raises((RecipeError, ValueError), match=said):
        TuneSection.model_validate({"method": {"several": fields}})


def test_networks_that_pad_are_refused_with_several_tasks(tagged, tiny_model) -> None:
    chosen = section()
    network = tiny_model.network(torch.float32)
    chosen.method.attach(network)
    forward = Forward(network, torch.float32)
    forward.layout.name = "padded"
    with pytest.raises(ModelError, match="reads documents as 'padded'"):
        chosen.method.mover(forward, chosen, chosen.method.trainable(network))
