"""The engine's forward pass equals the plain one of each row alone, for every architecture, whatever parts it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from sevenfold.chat.encoder import TokenSequence
from sevenfold.errors import ModelError
from sevenfold.tune.engine import documents, layouts, probe
from sevenfold.tune.engine.forward import Forward
from sevenfold.tune.engine.lora import LoraLinear, share_inputs
from sevenfold.tune.engine.passes import Pass, pack
from sevenfold.tune.methods.lora import Lora
from tests.tune.engine.architectures import ARCHITECTURES

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def rows() -> list[TokenSequence]:
    """Rows of different lengths; in some, what is not learnt stands between what is."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for length in (9, 4, 12, 11):
        weights = [0.0, 0.0] + [1.0] * (length - 2)
        weights[6:8] = [0.0] * len(weights[6:8])
        found.append(TokenSequence(torch.randint(3, 96, (length,), generator=generator).tolist(), weights))
    return found


def plain(network, batch: Pass) -> torch.Tensor:
    """What transformers computes for each document by itself."""
    found = []
    for single in probe.apart(batch):
        logits = probe.plain(network, single)[1]
        found.append(torch.log_softmax(logits.float(), -1).gather(-1, single.labels_N[:, None])[:, 0])
    return torch.cat(found)


def gradients(network, logprobs_N: torch.Tensor) -> dict[str, torch.Tensor]:
    direction = torch.randn(len(logprobs_N), generator=torch.Generator().manual_seed(3))
    network.zero_grad()
    (logprobs_N * direction).sum().backward()
    return {name: part.grad.clone() for name, part in network.named_parameters() if part.grad is not None}


def assert_equal_gradients(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    assert found
    largest = max(float(gradient.abs().max()) for gradient in expected.values())
    for name, gradient in found.items():
        difference = gradient - expected[name]
        assert float(difference.abs().max()) < 1e-4 * largest, name
        assert abs(float(difference.mean())) < 1e-5 * largest, name


@every_architecture
def test_equals_each_row_alone_in_the_plain_network(name: str) -> None:
    network, batch = ARCHITECTURES[name].build(), pack(rows())
    layouts.use_eager(network)
    expected = plain(network, batch)
    expected_gradients = gradients(network, expected)
    found = Forward(network, torch.float32)(batch)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-5)
    assert abs(float((found - expected).detach().mean())) < 1e-5
    assert_equal_gradients(gradients(network, found), expected_gradients)


@every_architecture
def test_the_parts_that_apply_are_those_of_the_table(name: str) -> None:
    forward = Forward(ARCHITECTURES[name].build(), torch.float32)
    found = (forward.layout.name, forward.head.name)
    assert found == (ARCHITECTURES[name].layout, ARCHITECTURES[name].head), forward.notes
    # What is not the best is said.
    assert len(forward.notes) == (forward.layout.name != "documents") + (forward.head.name == "own")


@every_architecture
def test_bfloat16_takes_the_same_parts(name: str) -> None:
    forward = Forward(ARCHITECTURES[name].build().bfloat16(), torch.bfloat16)
    assert (forward.layout.name, forward.head.name) == (ARCHITECTURES[name].layout, ARCHITECTURES[name].head)


def adapted(name: str):
    """A network with adapters that already change something."""
    network = ARCHITECTURES[name].build()
    Lora(rank=2).attach(network)
    for part in network.modules():
        if isinstance(part, LoraLinear):
            torch.nn.init.normal_(part.lora_B.weight, std=0.1)
    return network


@every_architecture
def test_lora_on_all_linear_layers_trains(name: str) -> None:
    network, batch = adapted(name), pack(rows())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    forward = Forward(network, torch.float32)
    share_inputs(network, lambda: forward(probe.trial(network)))
    moving = {key: part for key, part in network.named_parameters() if part.requires_grad}
    optimizer = torch.optim.Adam(moving.values(), lr=0.003)
    losses = []
    for _ in range(10):
        loss = -forward(batch).mean()
        loss.backward()
        assert [key for key, part in moving.items() if part.grad is None] == []
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.01
    moved = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert moved == set(moving)
    assert any("experts" in key for key in left_out(network)) == ARCHITECTURES[name].experts


@pytest.mark.parametrize(("name", "uncalled"), [("Mamba", "dt_proj"), ("Jamba", "dt_proj"), ("Llama", "")])
def test_adapters_of_layers_that_are_never_called_do_not_move_and_are_named(name: str, uncalled: str) -> None:
    network = adapted(name)
    forward = Forward(network, torch.float32)
    notes = share_inputs(network, lambda: forward(probe.trial(network)))
    still = [key for key, part in network.named_parameters() if "lora_" in key and not part.requires_grad]
    assert bool(notes) == bool(still) == bool(uncalled)
    assert all(uncalled in text for text in [*notes, *still])


@every_architecture
def test_gradients_of_lora_equal_the_plain_ones(name: str) -> None:
    network, batch = adapted(name), pack(rows())
    layouts.use_eager(network)
    expected = gradients(network, plain(network, batch))
    forward = Forward(network, torch.float32)
    share_inputs(network, lambda: forward(probe.trial(network)))
    assert_equal_gradients(gradients(network, forward(batch)), expected)


@pytest.mark.parametrize("name", ["Llama", "GPT-2", "BLOOM", "Mamba", "Jamba", "T5"])
def test_passes_add_up(name: str) -> None:
    # What the proofs of packing and of accumulation ask: rows together or apart, the sum is the same.
    forward = Forward(ARCHITECTURES[name].build(), torch.float32)
    found = gradients(forward.network, forward(pack(rows())))
    singles = torch.cat([forward(pack([row])) for row in rows()])
    assert_equal_gradients(gradients(forward.network, singles), found)


def forced(name: str, layout: str):
    """A network and a layout by its name, whatever the trial says."""
    network = ARCHITECTURES[name].build()
    found = next(part for part in layouts.candidates(network, both_directions=False) if part.name == layout)
    # Where the network has no such attention it keeps its own, as one that is packed without asking would.
    layouts.use_attention(network, found.attention)
    return network, found


@pytest.mark.parametrize("name", ["Falcon", "Falcon with ALiBi", "BLOOM", "MPT", "gpt-oss", "Mamba 2", "RWKV", "Jamba"])
def test_a_network_forced_into_a_packed_row_is_wrong_and_that_is_seen(name: str) -> None:
    network, layout = forced(name, "one mask")
    batch = pack(rows())
    states = layout.call(batch).detach()
    expected = torch.cat([probe.plain(network, single)[0] for single in probe.apart(batch)]).detach()
    assert float((states - expected).abs().max()) > 1e-6
    with torch.no_grad():
        truth = probe.truth(network, probe.trial(network))
        assert truth.refusal(network, layout.call, torch.float32)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_leak_too_small_for_rounding_is_seen(precision: torch.dtype) -> None:
    # An untrained network hardly listens to its attention, so its states are right within rounding all the same.
    network = ARCHITECTURES["Jamba"].build(initializer_range=1e-4).to(precision)
    body = layouts.OneMask(probe.trunk(network))
    with torch.no_grad():
        truth = probe.truth(network, probe.trial(network))
        states, read = probe.observe(network, body, truth.batch)
        assert probe.difference(states, truth.states_ND, truth.batch) < probe.TOLERANCES[precision]
        assert read > truth.read
        assert "reads" in truth.refusal(network, body, precision)
    assert Forward(network, precision).layout.name == "padded"


def left_out(network) -> list[str]:
    """Matrices that have no adapter beside them."""
    adapted = {id(weight) for part in network.modules() if isinstance(part, LoraLinear) for weight in part.parameters()}
    return [name for name, weight in network.named_parameters() if weight.dim() > 1 and id(weight) not in adapted]


def test_documents_one_by_one_where_padding_is_read(monkeypatch) -> None:
    # No architecture among these needs it, so padding is made to matter: the mask is kept from the network.
    network = ARCHITECTURES["T5"].build()
    plain_rectangle = layouts.EncoderDecoder.rectangle

    def unmasked(self, documents_):
        self.encoder, encoder = Unmasked(self.encoder), self.encoder
        states = plain_rectangle(self, documents_)
        self.encoder = encoder
        return states

    monkeypatch.setattr(layouts.EncoderDecoder, "rectangle", unmasked)
    forward = Forward(network, torch.float32)
    assert forward.layout.name == "alone"
    assert "one document at a time" in forward.notes[0]
    assert "padded (eager): states differ" in forward.notes[0]


class Unmasked:
    def __init__(self, encoder) -> None:
        self.encoder = encoder

    def __call__(self, input_ids, attention_mask):
        return self.encoder(input_ids=input_ids)


def test_nothing_right_is_an_error_that_says_what_was_tried(monkeypatch) -> None:
    monkeypatch.setattr(probe, "difference", lambda *_: float("nan"))
    with pytest.raises(ModelError) as caught:
        Forward(ARCHITECTURES["Llama"].build(), torch.float32)
    said = str(caught.value)
    assert "LlamaForCausalLM" in said
    for name in layouts.COSTS:
        assert f"{name} (" in said


def test_the_best_parts_need_no_note() -> None:
    assert Forward(ARCHITECTURES["Llama"].build(), torch.float32).notes == []


def test_a_note_says_why_and_what_it_costs() -> None:
    (note,) = Forward(ARCHITECTURES["Jamba"].build(), torch.float32).notes
    assert note.startswith("JambaForCausalLM reads documents as 'padded': up to a quarter of what goes through is")
    assert "not one mask (eager): states differ from those of each document alone (by " in note


def test_trying_leaves_no_trace() -> None:
    network = ARCHITECTURES["Gemma 3"].build().train()
    network.base_model.layers[0].eval()
    fields = dict(vars(network.config))
    modes = [part.training for part in network.modules()]
    windows = [vars(part).get("sliding_window") for part in network.modules()]
    state = torch.random.get_rng_state()
    Forward(network, torch.float32)
    changed = {key for key, value in vars(network.config).items() if fields[key] != value}
    assert changed <= {"_attn_implementation_internal"}
    assert [part.training for part in network.modules()] == modes
    assert [vars(part).get("sliding_window") for part in network.modules()] == windows
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(part.grad is None for part in network.parameters())


@pytest.mark.parametrize("name", ["Llama", "BLOOM"])
def test_a_network_built_with_our_attention_is_taken_too(name: str) -> None:
    network = ARCHITECTURES[name].build()
    network.config._attn_implementation = documents.register()
    assert Forward(network, torch.float32).layout.name == ARCHITECTURES[name].layout


def test_the_page_says_what_the_table_says() -> None:
    page = (Path(__file__).parents[3] / "docs" / "architectures.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^\| (\S.*?) \| (.*) \|$", page, re.MULTILINE))
    assert {name: found.get(name) for name in ARCHITECTURES} == {
        name: " | ".join(architecture.words) for name, architecture in ARCHITECTURES.items()
    }
