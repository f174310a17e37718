"""The check behind a merge on a real network: the parents' answers are the parents', and a takeover is seen."""

from __future__ import annotations

import pytest
import torch

from sevenfold.generate.engine import Sampling
from sevenfold.generate.engines.transformers import TransformersEngine
from sevenfold.tune.several import inheritance
from sevenfold.tune.several.beside import answering
from sevenfold.tune.several.combinations.svd import Svd
from sevenfold.tune.several.files import LoraFile
from sevenfold.tune.several.merge import merge
from tests.tune.several import made


@pytest.fixture
def folders(tiny_model, tmp_path):
    return {name: made.adapter(tiny_model, tmp_path / name, seed) for name, seed in (("chat", 1), ("translate", 2))}


def prompts():
    return {"chat": [[1, 20 + n, 30] for n in range(4)], "translate": [[1, 50 + n, 60] for n in range(3)]}


def test_everyone_answers_everyones_prompts(folders, tiny_model, tmp_path) -> None:
    merge([LoraFile(folder) for folder in folders.values()], [1, 0], Svd(rank=8), 0, tmp_path / "merged")
    network, encoder = tiny_model.network(torch.float32), tiny_model.encoder()
    found = inheritance.check(network, encoder, folders, tmp_path / "merged", prompts(), max_new_tokens=8)
    assert [asked.owner for asked in found] == ["chat", "translate"]
    assert [len(asked.prompts) for asked in found] == [4, 3]
    for asked in found:
        texts = {name: [answer.text for answer in given] for name, given in asked.answers.items()}
        assert texts["merged"] == texts["chat"], "a weight of zero takes the other parent out"
        assert len(asked.as_json()["rows"]) == len(asked.prompts)
    with answering(network, LoraFile(folders["translate"])):
        alone = TransformersEngine(network, encoder).generate(prompts()["chat"], Sampling(max_new_tokens=8))
    assert [answer.text for answer in found[0].answers["translate"]] == [answer.text for answer in alone]
    assert not [finding for finding in found[0].findings if finding.differs]


def test_the_network_is_the_base_again(folders, tiny_model, tmp_path) -> None:
    merge([LoraFile(folder) for folder in folders.values()], [1, 1], Svd(), 0, tmp_path / "merged")
    network = tiny_model.network(torch.float32)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inheritance.check(network, tiny_model.encoder(), folders, tmp_path / "merged", prompts(), max_new_tokens=2)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_an_adapter_of_another_network_is_refused(folders, tiny_model) -> None:
    from sevenfold.errors import ModelError

    network = tiny_model.network(torch.float32)
    network.model.layers = network.model.layers[:1]
    refused = pytest.raises(ModelError, match=r"does not fit LlamaForCausalLM: model\.layers\.1")
    with refused, answering(network, LoraFile(folders["chat"])):
        pass
    assert not any("lora" in name for name, _ in network.named_parameters()), "it is plain again"
