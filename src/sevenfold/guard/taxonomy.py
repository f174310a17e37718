"""Taxonomies: what counts as unsafe, as data that a user can change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from sevenfold.errors import RecipeError
from sevenfold.schema import Strict, explain

FOLDER = Path(__file__).with_name("taxonomies")


class Category(Strict):
    """One kind of harm."""

    id: str = Field(min_length=1, description="What the guard writes for it: S1, harassment.")
    name: str = Field(min_length=1, description="Its name in judgements and tables.")
    description: str = Field("", description="What falls under it, as the guard is told.")


class Taxonomy(Strict):
    """Kinds of harm in the order in which a guard is told them."""

    name: str = Field(description="What the taxonomy is called.")
    source: str = Field("", description="Where its categories are from.")
    categories: tuple[Category, ...] = Field(min_length=1, description="The kinds of harm.")

    @property
    def by_id(self) -> dict[str, Category]:
        """The categories by what the guard writes."""
        return {category.id: category for category in self.categories}


class Changes(Strict):
    """What a recipe changes in a taxonomy."""

    add: dict[str, str] = Field({}, description="New categories: name to description. They are numbered on.")
    rename: dict[str, str] = Field({}, description="Id to a new name.")
    describe: dict[str, str] = Field({}, description="Id to a new description.")
    remove: tuple[str, ...] = Field((), description="Ids that do not count.")


def names() -> list[str]:
    """The taxonomies that come with Sevenfold."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(name: str) -> Taxonomy:
    """A taxonomy by its name, or a user's own by the path of its YAML file.

    Raises:
        RecipeError: There is none, it cannot be read, or an id stands twice.
    """
    path = FOLDER / f"{name}.yaml" if name in names() else Path(name).expanduser()
    if not path.is_file():
        raise RecipeError(
            f"there is no taxonomy {name!r}",
            value=name,
            alternatives=names(),
            expected="one of these, or a YAML file with name and categories",
        )
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = Taxonomy(**content)
    except ValidationError as error:
        raise explain(error, Taxonomy, prefix=(str(path),)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError) as error:
        raise RecipeError(f"the taxonomy cannot be read: {error}", where=str(path)) from None
    if len(found.by_id) < len(found.categories):
        raise RecipeError("an id stands twice in the taxonomy", where=str(path), expected="each id once")
    return found


def changed(taxonomy: Taxonomy, changes: Changes) -> Taxonomy:
    """A taxonomy with categories renamed, described anew, added and removed.

    Raises:
        RecipeError: A change names no category, or none is left.
    """
    known = taxonomy.by_id
    for id in (*changes.rename, *changes.describe, *changes.remove):
        if id not in known:
            raise RecipeError(f"{taxonomy.name} has no category {id!r}", value=id, alternatives=known)
    kept = [
        Category(
            id=one.id,
            name=changes.rename.get(one.id, one.name),
            description=changes.describe.get(one.id, one.description),
        )
        for one in taxonomy.categories
        if one.id not in changes.remove
    ]
    kept += added(taxonomy, changes)
    if not kept:
        raise RecipeError(f"every category of {taxonomy.name} is removed", expected="at least one")
    return Taxonomy(name=taxonomy.name, source=taxonomy.source, categories=tuple(kept))


def added(taxonomy: Taxonomy, changes: Changes) -> list[Category]:
    """The new categories: numbered on (S15) where the taxonomy numbers, else under their own names.

    An id that was removed is not given again, since the model learnt another meaning for it.
    """
    last = taxonomy.categories[-1].id
    letters = last.rstrip("0123456789")
    first = int(last[len(letters) :]) + 1 if letters != last else None
    return [
        Category(id=name if first is None else f"{letters}{first + place}", name=name, description=description)
        for place, (name, description) in enumerate(changes.add.items())
    ]
