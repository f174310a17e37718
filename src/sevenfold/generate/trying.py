"""How a way to call a network is tried: what it may raise, and what only long texts would show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TRIED = (
    NotImplementedError,
    TypeError,
    ValueError,
    RuntimeError,
    AttributeError,
    LookupError,
)
"""What a network may raise at a call that it was not made for."""

LIMITS = {"sliding_window": 2, "local_attention": 2, "attention_chunk_size": 2, "attn_logit_softcapping": 0.05}
"""What only long documents or large scores would show, and the values at which a few tokens show it."""


@contextmanager
def revealing(network: Any) -> Iterator[None]:
    """Without dropout and with windows and caps so small that a few tokens show them; all is put back afterwards."""
    training = [module for module in network.modules() if module.training]
    owners = [network.config, network.config.get_text_config(), *network.modules()]
    found = [(owner, name, vars(owner)[name]) for owner in owners for name in LIMITS if vars(owner).get(name)]
    for owner, name, _ in found:
        setattr(owner, name, LIMITS[name])
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
        for owner, name, value in found:
            setattr(owner, name, value)
