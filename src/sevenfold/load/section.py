"""The recipe's section ``load``."""

from __future__ import annotations

from pydantic import Field

from sevenfold.schema import Section


class LoadSection(Section):
    """The base model."""

    model: str = Field("smollm2-135m", description="A catalogue name, a hub name, or a folder.")
    revision: str | None = Field(None, description="The hub revision: a branch, a tag or a commit.")
    template: str = Field("own", description="The chat template: own, a name, or the path of a .jinja file.")
