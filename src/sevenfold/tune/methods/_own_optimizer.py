"""For methods that bring an optimiser of their own, and so have no use for the recipe's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sevenfold.errors import RecipeError
from sevenfold.tune.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    from sevenfold.tune.section import TuneSection


def refuse_optimizer(section: TuneSection, rule: str) -> None:
    """Refuse an optimiser that somebody chose and that would not be used.

    Args:
        section: The recipe's section; its default optimiser is nobody's choice.
        rule: What moves the weights instead.

    Raises:
        RecipeError: The optimiser is another than the default.
    """
    default = type(section).model_fields["optimizer"].get_default(call_default_factory=True)
    if section.optimizer != default:
        raise RecipeError(
            f"tune.optimizer ({OPTIMIZERS.name_of(section.optimizer)}) would not be used: {rule}",
            where="tune.optimizer",
            next_step="leave tune.optimizer out; or tune.method: full, which uses it",
        )
