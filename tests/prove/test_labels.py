"""What the proofs of mask and tokens say of objectives whose targets are no replies."""

from __future__ import annotations

from functools import partial

import pytest

from sevenfold.prove import proofs
from sevenfold.prove.proof import Case
from sevenfold.tune.objectives import classify, setfit
from sevenfold.tune.section import TuneSection
from tests.tune.objectives import made


@pytest.fixture
def case(request, tiny_model, environment, tmp_path) -> Case:
    section = TuneSection.model_validate(made.section(request.param))
    dataset = made.dataset(request.param, tmp_path / "1-prepare")
    return Case(section, dataset, tiny_model, environment, tmp_path)


every = partial(pytest.mark.parametrize, "case", indirect=True)


@every(argvalues=["classify", "regress", "tag", "span", "setfit"])
def test_the_ids_of_every_prompt_are_compared(case) -> None:
    proof = proofs.run("tokens", case)
    assert proof.passed, proofs.line(proof)
    assert "ids of 24 prompts of 24 rows" in proof.what


@every(argvalues=["classify", "setfit"])
def test_tokens_catches_a_prompt_that_nobody_would_send(case, monkeypatch) -> None:
    for module in (classify, setfit):
        read = module.read_prompt
        monkeypatch.setattr(module, "read_prompt", lambda row, encoder, read=read: read(row, encoder)[:-1])
    assert proofs.run("tokens", case).figure == 24


@every(argvalues=["classify", "pretrain"])
def test_a_proof_that_says_nothing_is_left_out(case) -> None:
    names = proofs.possible({"tune", "deploy"}, case.section)
    assert ("mask" in names, "tokens" in names) == (False, case.section.objective.targets == "prompt")


def test_what_is_learnt_of_replies_has_all_seven() -> None:
    section = TuneSection.model_validate({"objective": "dpo"})
    assert len(proofs.possible({"tune", "deploy"}, section)) == 7
