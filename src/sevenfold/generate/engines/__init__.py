"""The engines; a file's name is its name in the recipe."""

from __future__ import annotations

from sevenfold.generate.engine import Backend
from sevenfold.registry import Registry

ENGINES: Registry[Backend] = Registry(__name__, Backend)
