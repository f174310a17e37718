"""A network and its head on labels as one model of transformers."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.errors import ModelError
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from sevenfold.generate.labels import Whole
    from sevenfold.load.model import Model


def write_whole(whole: Whole, network: PreTrainedModel, dtype: torch.dtype, model: Model, folder: Path) -> list[str]:
    """Write the class that transformers has for it, with tokenizer and template.

    Args:
        whole: The class, its configuration and the head's weights.
        network: The merged network, of which all but its own head is taken.
        dtype: The type of the weights on disk.
        model: The base model.
        folder: An empty folder.

    Returns:
        What who opens it should know.

    Raises:
        ModelError: The class has other layers than the network and one linear head.
    """
    made = joined(whole, network)
    with quiet():
        made.to(dtype).save_pretrained(folder)
    model.tokenizer().save_pretrained(folder)
    return [f"opens with transformers' {whole.auto}", *whole.notes]


def joined(whole: Whole, network: PreTrainedModel) -> Any:
    """The network's layers and the head in transformers' class."""
    import torch
    import transformers

    config: Any = copy.deepcopy(network.config)
    for name, value in whole.config.items():
        setattr(config, name, value)
    with quiet():
        made: Any = getattr(transformers, whole.auto).from_config(config, dtype=network.dtype)
    missing, unknown = made.base_model.load_state_dict(network.base_model.state_dict(), strict=False)
    inside = f"{made.base_model_prefix}."
    head = {name: weight for name, weight in made.named_parameters() if not name.startswith(inside)}
    ours = {name.rsplit(".", 1)[-1]: weight for name, weight in whole.weights.items()}
    theirs = {name.rsplit(".", 1)[-1]: weight for name, weight in head.items()}
    shapes = {name: weight.shape for name, weight in ours.items()}
    if (
        missing
        or unknown
        or len(theirs) < len(head)
        or any(theirs[n].shape != s for n, s in shapes.items() if n in theirs)
    ):
        raise ModelError(
            f"transformers' {whole.auto} of this architecture is more than the network and one linear layer",
            where=", ".join([*head, *missing, *unknown][:6]),
            next_step="leave merged out of deploy.export; the service and the adapter have the head all the same",
        )
    with torch.no_grad():
        for name, weight in theirs.items():
            weight.copy_(ours[name] if name in ours else torch.zeros_like(weight))
    return made.eval()
