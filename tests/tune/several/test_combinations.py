"""Every combination against PEFT's, against the plain formula, and what cannot be combined."""

from __future__ import annotations

import pytest
import torch

from sevenfold.errors import RecipeError
from sevenfold.schema import build
from sevenfold.tune.several.combinations import COMBINATIONS, Layer, Weighted
from sevenfold.tune.several.files import LoraFile, Pair
from sevenfold.tune.several.merge import merge
from tests.tune.several import made

WEIGHTS = [0.7, -0.4, 1.1]


def combination(name, **fields):
    return build(COMBINATIONS.find(name), fields, name)


def combined(how, pairs, weights, seed=0):
    weighted = [Weighted(pair, weight) for pair, weight in zip(pairs, weights, strict=True)]
    layer = Layer("layer", weighted, max(pair.rank for pair in pairs if pair))
    return how.combine(layer, torch.Generator().manual_seed(seed))


def pairs(count=3, ranks=(4, 4, 4), inputs=20, outputs=12):
    torch.manual_seed(1)
    return [
        Pair(torch.randn(rank, inputs), torch.randn(outputs, rank), 0.5 + number)
        for number, rank in zip(range(count), ranks, strict=True)
    ]


def change(one):
    return one.up_OR @ one.down_RI


def weighted_sum(found, weights):
    return sum(weight * pair.scale * pair.up_OR @ pair.down_RI for pair, weight in zip(found, weights, strict=True))


@pytest.fixture(scope="module")
def parents(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parents")
    return [made.adapter(tiny_model, folder / str(seed), seed, rank=4, alpha=4 + 2 * seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def uneven(tiny_model, tmp_path_factory):
    """Adapters of different ranks and layers."""
    folder = tmp_path_factory.mktemp("uneven")
    return [
        made.adapter(tiny_model, folder / "a", 1, rank=4, alpha=6, targets=["q_proj", "up_proj"]),
        made.adapter(tiny_model, folder / "b", 2, rank=6, alpha=6, targets=["q_proj", "down_proj"]),
        made.adapter(tiny_model, folder / "c", 3, rank=2, alpha=6, rank_stabilized=True),
    ]


def peft_changes(tiny_model, folders, weights, **fields):
    """What PEFT's add_weighted_adapter makes: the change of every layer by name."""
    from peft import PeftModel

    model = PeftModel.from_pretrained(tiny_model.network(torch.float32), folders[0], adapter_name="0")
    for number, folder in enumerate(folders[1:], 1):
        model.load_adapter(folder, adapter_name=str(number))
    names = [str(number) for number in range(len(folders))]
    model.add_weighted_adapter(names, weights, "merged", **fields)
    layers = {name: part for name, part in model.base_model.model.named_modules() if hasattr(part, "lora_A")}
    return {name: part.get_delta_weight("merged").detach() for name, part in layers.items() if "merged" in part.lora_A}


def our_changes(folders, weights, how, place, seed=0):
    merged = merge([LoraFile(folder) for folder in folders], weights, how, seed, place)
    file = LoraFile(place)
    assert merged.layers == len(file.names)
    return {name: file.pair(name).change() for name in file.names}, merged


def same(found, expected, exact=2e-4):
    assert found.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=exact)


CASES = [
    ("concatenate", {}, {"combination_type": "cat"}),
    ("linear", {}, {"combination_type": "linear"}),
    ("svd", {}, {"combination_type": "svd"}),
    ("svd", {"rank": 3}, {"combination_type": "svd", "svd_rank": 3}),
    ("svd", {"rank": 12}, {"combination_type": "svd", "svd_rank": 12}),
    ("ties", {"density": 0.3}, {"combination_type": "ties_svd", "density": 0.3}),
    (
        "ties",
        {"density": 0.5, "majority": "frequency"},
        {"combination_type": "ties_svd", "density": 0.5, "majority_sign_method": "frequency"},
    ),
    ("ties", {"density": 0.3, "on": "factors"}, {"combination_type": "ties", "density": 0.3}),
]


@pytest.mark.parametrize(("name", "fields", "theirs"), CASES)
def test_it_is_pefts(name, fields, theirs, parents, tiny_model, tmp_path) -> None:
    found, _ = our_changes(parents, WEIGHTS, combination(name, **fields), tmp_path / "out")
    same(found, peft_changes(tiny_model, parents, WEIGHTS, **theirs))


@pytest.mark.parametrize(
    ("name", "theirs"), [("concatenate", {"combination_type": "cat"}), ("svd", {"combination_type": "svd"})]
)
def test_ranks_and_layers_may_differ(name, theirs, uneven, tiny_model, tmp_path) -> None:
    found, _ = our_changes(uneven, WEIGHTS, combination(name), tmp_path / "out")
    same(found, peft_changes(tiny_model, uneven, WEIGHTS, **theirs))


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, "dare_linear_svd"),
        ({"then": "ties"}, "dare_ties_svd"),
        ({"on": "factors"}, "dare_linear"),
        ({"on": "factors", "then": "ties"}, "dare_ties"),
    ],
)
def test_dare_draws_as_peft_does_on_the_same_random_numbers(fields, kind, tiny_model, tmp_path) -> None:
    folders = [made.adapter(tiny_model, tmp_path / str(seed), seed, targets=["0.mlp.up_proj"]) for seed in (1, 2)]
    found, _ = our_changes(folders, [0.7, 0.6], combination("dare", density=0.4, **fields), tmp_path / "out", seed=5)
    torch.manual_seed(5)
    from unittest import mock

    # PEFT draws a fresh adapter before it merges; the generator is put back for the draws that count.
    from peft.tuners.lora import model as theirs

    if kind.endswith("svd"):
        original = getattr(theirs, kind.removesuffix("_svd"))
    else:
        original = getattr(theirs, kind)
    called = []

    def seeded(*positional, **named):
        if not called:
            torch.manual_seed(5)
        called.append(kind)
        return original(*positional, **named)

    with mock.patch.object(theirs, kind.removesuffix("_svd"), seeded):
        expected = peft_changes(tiny_model, folders, [0.7, 0.6], combination_type=kind, density=0.4)
    same(found, expected)


def test_concatenation_is_the_weighted_sum_and_ranks_add() -> None:
    found = pairs(3, (2, 3, 4))
    one = combined(combination("concatenate"), found, WEIGHTS)
    assert len(one.down_RI) == 9
    torch.testing.assert_close(change(one), weighted_sum(found, WEIGHTS))


def test_the_guides_example_sixteen_and_sixteen_are_thirty_two() -> None:
    found = pairs(2, (16, 16), 40, 50)
    assert len(combined(combination("concatenate"), found, [1, 1]).down_RI) == 32


@pytest.mark.parametrize("rank", [1, 3, 5, 12])
def test_svd_is_the_best_approximation_and_says_what_it_keeps(rank) -> None:
    found = pairs()
    whole = weighted_sum(found, WEIGHTS)
    u, s, vh = torch.linalg.svd(whole.double(), full_matrices=False)
    expected = (u[:, :rank] * s[:rank]) @ vh[:rank]
    one = combined(combination("svd", rank=rank), found, WEIGHTS)
    torch.testing.assert_close(change(one), expected.float(), rtol=1e-4, atol=1e-4)
    assert one.kept / one.total == pytest.approx(float((s[:rank] ** 2).sum() / (s**2).sum()), rel=1e-5)
    lost = float((whole - change(one)).square().sum())
    assert lost == pytest.approx(one.total - one.kept, abs=1e-2)


def test_linear_is_the_change_itself_for_one_parent_and_has_cross_terms_for_two() -> None:
    found = pairs()
    torch.testing.assert_close(
        change(combined(combination("linear"), found[:1], [-0.5])), weighted_sum(found[:1], [-0.5])
    )
    one = combined(combination("linear"), found[:2], [1.0, 2.0])
    s = [(1.0 * found[0].scale) ** 0.5, (2.0 * found[1].scale) ** 0.5]
    up, down = (
        s[0] * found[0].up_OR + s[1] * found[1].up_OR,
        s[0] * found[0].down_RI + s[1] * found[1].down_RI,
    )
    torch.testing.assert_close(change(one), up @ down)
    assert not torch.allclose(change(one), weighted_sum(found[:2], [1.0, 2.0]))


def test_an_average_of_one_adapter_with_itself_is_that_adapter() -> None:
    pair = pairs()[0]
    one = combined(combination("average"), [pair, pair, pair], [1, 1, 2])
    torch.testing.assert_close(change(one), pair.change())


def test_an_average_is_the_mean_of_the_parameters() -> None:
    found = [Pair(pair.down_RI, pair.up_OR, 2.0) for pair in pairs()]
    one = combined(combination("average"), found, [1, 1, 1])
    mean_up = sum(pair.up_OR for pair in found) / 3
    mean_down = sum(pair.down_RI for pair in found) / 3
    torch.testing.assert_close(change(one), 2.0 * mean_up @ mean_down)


def test_ties_by_hand() -> None:
    """Two parents on a 2 x 2 weight: at each place the sign with more mass, and the mean of those that have it."""
    eye = torch.eye(2)
    one, other = torch.tensor([[3.0, -1.0], [2.0, 0.5]]), torch.tensor([[1.0, 4.0], [-2.5, 0.1]])
    found = combined(combination("ties", density=1.0, rank=2), [Pair(one, eye, 1.0), Pair(other, eye, 1.0)], [1, 1])
    torch.testing.assert_close(change(found), torch.tensor([[2.0, 4.0], [-2.5, 0.3]]), rtol=1e-4, atol=1e-5)
    trimmed = combined(combination("ties", density=0.5, rank=2), [Pair(one, eye, 1.0), Pair(other, eye, 1.0)], [1, 1])
    torch.testing.assert_close(change(trimmed), torch.tensor([[3.0, 4.0], [-2.5, 0.0]]), rtol=1e-4, atol=1e-5)


def test_dare_keeps_the_mean() -> None:
    found = pairs(2, (4, 4))
    how = combination("dare", density=0.25, rank=12)
    layer = Layer("layer", [Weighted(pair, 1.0) for pair in found], 4)
    generator = torch.Generator().manual_seed(0)
    mean = torch.stack([change(how.combine(layer, generator)) for _ in range(2000)]).mean(0)
    whole = weighted_sum(found, [1, 1])
    assert float((mean - whole).abs().max()) < 0.15 * float(whole.abs().max())


@pytest.mark.parametrize("name", ["linear", "average"])
def test_parents_of_different_ranks_cannot_be_added(name) -> None:
    with pytest.raises(RecipeError, match="ranks 4, 2") as caught:
        combined(combination(name), pairs(2, (4, 2)), [1, 1])
    assert "--how svd" in str(caught.value)


def test_an_average_needs_the_same_layers_and_scales() -> None:
    with pytest.raises(RecipeError, match="of 2 adapters 1 change the layer"):
        combined(combination("average"), [pairs()[0], None], [1, 1])
    with pytest.raises(RecipeError, match=r"scales 0\.5, 1\.5"):
        combined(combination("average"), pairs(2, (4, 4)), [1, 1])


@pytest.mark.parametrize("name", COMBINATIONS.names())
def test_the_merged_file_is_pefts_and_ours(name, tiny_model, tmp_path) -> None:
    from peft import PeftModel

    from sevenfold.tune.several.beside import answering

    folders = [made.adapter(tiny_model, tmp_path / str(seed), seed, start=0) for seed in (1, 2)]
    _, merged = our_changes(folders, [0.5, 0.5], combination(name), tmp_path / "out")
    ids = torch.tensor([[1, 5, 9, 2, 30]])
    network = tiny_model.network(torch.float32)
    with torch.no_grad():
        theirs = PeftModel.from_pretrained(tiny_model.network(torch.float32), tmp_path / "out")(ids).logits
        before = network(ids).logits
        with answering(network, LoraFile(tmp_path / "out")):
            ours = network(ids).logits
        assert torch.equal(network(ids).logits, before)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(ours, before)
    assert (merged.energy is None) == (name in ("concatenate", "linear", "average"))
