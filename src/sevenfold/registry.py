"""Name to class: the only registration mechanism.

A capability is one file (or one package) in a folder; the file's name is its name in the recipe. The registry
lists the folder without importing anything and imports a file when it is used. Other packages join through entry
points of the group named like the folder's package; a user's own file joins by its path.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar

from sevenfold.errors import RecipeError

T = TypeVar("T")
OF_USERS = "sevenfold_user_"
"""How the modules of users' files begin."""


class Registry(Generic[T]):
    """The capabilities of one folder.

    Args:
        package: The folder's package, for example ``sevenfold.tune.methods``.
        base: The class that every capability of the folder derives from.
    """

    def __init__(self, package: str, base: type[T]) -> None:
        self.package, self.base = package, base

    @property
    def kind(self) -> str:
        """What one capability is called in messages: ``method``, ``objective``, ``metric``."""
        return self.base.__name__.lower()

    @cached_property
    def entry_points(self) -> dict[str, importlib.metadata.EntryPoint]:
        """Capabilities that other installed packages bring."""
        return {point.name: point for point in importlib.metadata.entry_points(group=self.package)}

    def names(self) -> list[str]:
        """Every name that :meth:`find` takes, sorted."""
        folder = importlib.import_module(self.package).__path__
        own = {module.name for module in pkgutil.iter_modules(folder) if not module.name.startswith("_")}
        return sorted(own | set(self.entry_points))

    def find(self, name: str) -> type[T]:
        """The class behind a name.

        Raises:
            RecipeError: No file, package or entry point has this name.
        """
        if name not in self.names():
            raise RecipeError(
                f"there is no {self.kind} {name!r}", value=name, alternatives=self.names(), where=self.package
            )
        if name in self.entry_points:
            return self.entry_points[name].load()
        return self.only_class(importlib.import_module(f"{self.package}.{name}"))

    def from_file(self, path: Path) -> type[T]:
        """The class in a user's own Python file, which is executed.

        Raises:
            RecipeError: The file is not there, cannot be run, or defines no such class.
        """
        return self.only_class(module_of(path, self.kind))

    def only_class(self, module: ModuleType) -> type[T]:
        """The one class of ``module`` that derives from the base and is defined there."""
        found = [
            item
            for item in vars(module).values()
            if inspect.isclass(item) and issubclass(item, self.base) and item.__module__ == module.__name__
        ]
        if len(found) != 1:
            raise RecipeError(
                f"{module.__name__} defines {len(found)} classes that derive from {self.base.__name__}",
                where=str(module.__file__),
                expected="exactly one",
            )
        return found[0]

    def name_of(self, item: T | type[T]) -> str:
        """The name in the recipe of a capability's class or instance."""
        return (item if inspect.isclass(item) else type(item)).__module__.rsplit(".", 1)[-1]


def load_module(name: str, path: Path | str) -> ModuleType:
    """Run a user's Python file as the module of that name.

    Raises:
        RecipeError: Its name is not that of a Python file.
        Exception: Whatever running it raises.
    """
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{str(path)!r} is no Python file", expected="a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    # With the package that its name says, pickle finds a class of the file again.
    package = name.rpartition(".")[0]
    if package:
        sys.modules.setdefault(package, ModuleType(package))
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def module_of(path: Path, kind: str) -> ModuleType:
    """The module in a user's own Python file, which is executed.

    Args:
        path: The file.
        kind: What it is to hold, for the message.

    Raises:
        RecipeError: The file is not there or cannot be run.
    """
    if not path.is_file():
        raise RecipeError(f"there is no file {str(path)!r} for a {kind}", next_step="check the path")
    # Files of one name in two folders are two modules.
    folder = hashlib.sha256(str(path.resolve().parent).encode()).hexdigest()[:8]
    try:
        return load_module(f"{OF_USERS}{folder}.{path.stem}", path)
    except RecipeError:
        raise
    except Exception as error:
        line = error.lineno if isinstance(error, SyntaxError) else last_line(error, path)
        raise RecipeError(f"{path}:{line} cannot be run: {type(error).__name__}: {error}") from error


def file_of(item: object) -> Path | None:
    """The user's file that an object's class stands in; None for what comes with a package."""
    module = type(item).__module__
    return Path(str(sys.modules[module].__file__)) if module.startswith(OF_USERS) else None


def last_line(error: Exception, path: Path) -> int | None:
    """The line of a file in which an error arose."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if Path(frame.filename) == path.absolute()), None)
