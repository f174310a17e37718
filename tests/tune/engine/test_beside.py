"""What hangs on a layer is found by the layer's name, and taken off without a trace."""

from __future__ import annotations

import torch
from torch import nn

from sevenfold.tune.engine import beside
from sevenfold.tune.engine.beside import Beside


class Shift(Beside):
    """Adds a trained vector to what comes out of a layer, twice that to what goes in."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))

    def hooks(self, layer):
        return [
            layer.register_forward_pre_hook(lambda layer, inputs: (inputs[0] + 2 * self.shift,)),
            layer.register_forward_hook(lambda layer, inputs, output: output + self.shift),
        ]


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 3)))


def test_hooks_act_and_the_layers_own_weights_keep_their_names() -> None:
    plain, made = network(), network()
    part, x = Shift(), torch.randn(4, 3)
    part.hang(made[1][1])
    hidden = plain[1][0](plain[0](x))
    torch.testing.assert_close(made(x), plain[1][1](hidden + 2 * part.shift) + part.shift)
    assert set(plain.state_dict()) | {"1.1.beside.shift"} == set(made.state_dict())
    assert beside.all_of(made) == {"1.1": part}


def test_taken_off_nothing_is_left() -> None:
    plain, made = network(), network()
    for layer in (made[0], made[1][1]):
        Shift().hang(layer)
    x = torch.randn(4, 3)
    assert not torch.equal(made(x), plain(x))
    beside.take_off(made)
    assert torch.equal(made(x), plain(x))
    assert list(made.state_dict()) == list(plain.state_dict())
    assert beside.all_of(made) == {}
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in made.modules())
