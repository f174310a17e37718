"""The Python form of a stage: its package is a function, ``sevenfold.tune(folder, dataset, model, environment)``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from sevenfold.console import Console
from sevenfold.disk import refusals
from sevenfold.record import Entry
from sevenfold.schema import explain


class StagePackage(ModuleType):
    """A stage's package that is also its function."""

    def __call__(self, folder: str | Path, *inputs: Any, **fields: Any) -> Any:
        """Run the stage.

        Args:
            folder: Where its result and files go.
            *inputs: The results it takes, in the order of its stage function.
            **fields: Its section of a recipe.

        Returns:
            The stage's result, saved in ``folder``.

        Raises:
            SevenfoldError: A field, the data or the machine has to be mended first.
        """
        name = self.__name__.rpartition(".")[2]
        section = getattr(importlib.import_module(f"{self.__name__}.section"), f"{name.capitalize()}Section")
        try:
            chosen = section.model_validate(fields)
        except ValidationError as error:
            raise explain(error, section, prefix=(name,)) from None
        place = Path(folder)
        stage = getattr(importlib.import_module(f"{self.__name__}.stage"), name)
        with refusals(place):
            place.mkdir(parents=True, exist_ok=True)
            return stage(chosen, *inputs, Entry(place, Console()))


def make_callable(package: str) -> None:
    """Let a stage's package be called."""
    sys.modules[package].__class__ = StagePackage
