"""The contract that every method inherits: each name in the registry runs through all of it."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import SevenfoldError
from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.record import Entry
from sevenfold.schema import build
from sevenfold.tune.methods import METHODS
from sevenfold.tune.section import TuneSection
from sevenfold.tune.stage import tune
from sevenfold.tune.tuned import Tuned
from tests.tune.several import made

IDS = torch.tensor([[1, 5, 9, 2, 30, 41, 7]])
VOCABULARY = 400
RATES = {"mezo": 1e-3}
"""Learning rates of methods that 1e-2 is no sensible one for."""


FIELDS: dict[str, dict[str, object]] = {}
"""What a method cannot do without, by its name."""


@pytest.fixture(scope="module", autouse=True)
def files(tiny_model, tmp_path_factory) -> None:
    """Adapters for the method that stands on others."""
    folder = tmp_path_factory.mktemp("adapters")
    FIELDS["fusion"] = {"adapters": [str(made.adapter(tiny_model, folder / str(seed), seed)) for seed in (1, 2)]}


@pytest.fixture(params=[name for name in METHODS.names() if METHODS.find(name).trains])
def name(request) -> str:
    return request.param


@pytest.fixture
def method(name):
    return build(METHODS.find(name), FIELDS.get(name, {}), name)


@torch.no_grad()
def logits(network, lead=()):
    """Behind each of the ids; virtual tokens stand before them."""
    ids = torch.cat([torch.tensor([lead], dtype=torch.int64), IDS], -1)
    return network.eval()(ids).logits[:, len(lead) :]


@pytest.fixture(scope="module")
def trainings() -> dict[str, Tuned]:
    """What was trained before, by its method."""
    return {}


@pytest.fixture
def tuned(name, trainings, tmp_path_factory, dataset, tiny_model, environment) -> Tuned:
    """The method behind its training, which is the same for all who only look at it."""
    if name not in trainings:
        trainings[name] = train(name, tmp_path_factory.mktemp(name), dataset, tiny_model, environment)
    return trainings[name]


def train(name: str, tmp_path, dataset, model, environment, **fields):
    section = TuneSection.model_validate(
        {
            "method": {name: FIELDS.get(name, {})},
            "learning_rate": RATES.get(name, 1e-2),
            "steps": 4,
            "batch": 4,
            **fields,
        }
    )
    entry = Entry(tmp_path / "4-tune")
    entry.folder.mkdir(exist_ok=True)
    return tune(section, dataset, model, environment, entry)


def test_the_output_at_the_start_is_the_base(method, tiny_model) -> None:
    network = tiny_model.network(torch.float32)
    before = logits(network)
    method.attach(network)
    if lead := method.lead(VOCABULARY):
        assert method.differs_at_start
        assert not torch.equal(logits(network, lead), before)
        assert torch.equal(logits(network), before)
    elif method.differs_at_start:
        assert not torch.equal(logits(network), before)
        assert torch.nn.functional.cosine_similarity(logits(network), before, dim=-1).min() > 0.9
    else:
        torch.testing.assert_close(logits(network), before)


def test_something_can_move_and_only_that(method, tuned, tiny_model) -> None:
    base, network = tiny_model.network(torch.float32), tuned.network(tiny_model, torch.float32)
    trainable = method.trainable(network)
    assert sum(weight.numel() for weight in trainable.values()) == tuned.trainable_parameters > 0
    frozen = {n: w for n, w in network.named_parameters() if n not in trainable}
    for weight_name, weight in base.named_parameters():
        kept = frozen.get(weight_name, frozen.get(weight_name.replace(".weight", ".base_layer.weight")))
        if kept is not None:
            assert torch.equal(kept, weight), weight_name
    assert not torch.equal(logits(network, tuned.lead(tiny_model)), logits(base))


def test_loading_gives_the_same_trainable_set_as_attaching(method, tuned, tiny_model) -> None:
    loaded, attached = tuned.network(tiny_model, torch.float32), tiny_model.network(torch.float32)
    method.attach(attached)
    assert method.trainable(loaded).keys() == method.trainable(attached).keys()


def test_saved_loaded_and_merged_answer_the_same(name, tuned, tiny_model) -> None:
    loaded = logits(tuned.network(tiny_model, torch.float32))
    if METHODS.find(name).mergeable:
        torch.testing.assert_close(logits(tuned.merged(tiny_model, torch.float32)), loaded, rtol=1e-4, atol=1e-4)
    else:
        with pytest.raises(SevenfoldError, match="plain weights"):
            tuned.merged(tiny_model, torch.float32)


def test_without_its_adapter_it_is_the_base_bit_for_bit(name, tuned, tiny_model) -> None:
    method = METHODS.find(name)
    if not method.adapter:
        pytest.skip("what is saved replaces the base")
    base = tiny_model.network(torch.float32)
    network = tuned.network(tiny_model, torch.float32)
    tuned.chosen_method().unload(network)
    if method.differs_at_start and not tuned.lead(tiny_model):
        assert not any("lora" in weight for weight, _ in network.named_parameters())
        return
    assert torch.equal(logits(network), logits(base))
    assert {key: value.shape for key, value in network.state_dict().items()} == {
        key: value.shape for key, value in base.state_dict().items()
    }


def test_plain_peft_loads_what_is_saved(name, tuned, tiny_model) -> None:
    from peft import PeftModel

    lead = tuned.lead(tiny_model)
    stands_elsewhere = METHODS.find(name).differs_at_start and not lead
    if not (tuned.weights / "adapter_config.json").exists() or stands_elsewhere:
        pytest.skip("PEFT does not know the method, or it stands on another base")
    theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tuned.weights)
    with torch.no_grad():
        # PEFT puts its virtual tokens before a prompt itself.
        found = theirs.eval()(IDS).logits[:, -len(IDS[0]) :]
    expected = logits(tuned.network(tiny_model, torch.float32), lead)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("proof", ["packing", "accumulation", "resume"])
def test_the_proofs_hold_before_and_behind_training(
    proof, name, tuned, tmp_path, dataset, tiny_model, environment
) -> None:
    section = TuneSection.model_validate(
        {"method": {name: FIELDS.get(name, {})}, "learning_rate": RATES.get(name, 1e-2), "steps": 4, "batch": 4}
    )
    case = Case(section, dataset, tiny_model, environment, tmp_path)
    assert proofs.run(proof, case).passed
    case.tuned = tuned
    assert proofs.run(proof, case).passed


def test_recomputed_blocks_change_nothing(name, tuned, tmp_path, dataset, tiny_model, environment) -> None:
    again = train(name, tmp_path, dataset, tiny_model, environment, engine={"activations": "recompute"})
    assert again.losses == pytest.approx(tuned.losses, rel=1e-5)


def test_it_works_in_bfloat16(name, tmp_path, dataset, tiny_model, environment) -> None:
    environment = environment.model_copy(update={"precision": "bfloat16"})
    tuned = train(name, tmp_path, dataset, tiny_model, environment, steps=10)
    assert tuned.validation_losses[10] < tuned.validation_losses[0]


def test_the_same_seed_gives_the_same_bits(name, tuned, tmp_path, dataset, tiny_model, environment) -> None:
    again = train(name, tmp_path, dataset, tiny_model, environment)
    assert again.losses == tuned.losses
    other = environment.model_copy(update={"seed": 3})
    (tmp_path / "4-tune").rename(tmp_path / "again")
    assert train(name, tmp_path, dataset, tiny_model, other).losses != tuned.losses
