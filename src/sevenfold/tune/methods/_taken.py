"""For methods that take what was learnt elsewhere, and train nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import METHODS, Method

if TYPE_CHECKING:
    import torch

    from sevenfold.tune.section import TuneSection


class Taken(Method):
    """There are no steps; what the folder holds is this run's tuned model."""

    trains: ClassVar[bool] = False
    wanted: ClassVar[str]
    """What the folder has to hold, for the message that asks for it."""
    folder: str = Field("", description="The folder that holds it.")

    def check(self, section: TuneSection) -> None:
        """Refuse a recipe that names no folder, or a length of training."""
        name = METHODS.name_of(self)
        if not self.folder:
            raise RecipeError(f"{name} needs a folder", where=f"tune.method.{name}.folder", expected=self.wanted)
        for length in ("steps", "epochs"):
            if (value := getattr(section, length)) is not None:
                raise RecipeError(
                    f"{name} trains nothing, and {length} = {value}",
                    where=f"tune.{length}",
                    next_step=f"leave out tune.{length}; or train: tune.method: lora",
                )

    def weights_dtype(self, precision: torch.dtype) -> torch.dtype:
        """The run's precision: nothing moves."""
        return precision
