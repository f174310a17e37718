"""The recipe's section ``load``."""

from __future__ import annotations

from pydantic import Field

from sevenfold.schema import Section


class LoadSection(Section):
    """The base model."""

    model: str = Field("smollm2-135m", description="A catalogue name, a hub name, a folder, or a GGUF file.")
    revision: str | None = Field(None, description="The hub revision: a branch, a tag or a commit.")
    template: str = Field("own", description="The chat template: own, a name, or the path of a .jinja file.")
    teacher: str | None = Field(
        None,
        description="A second model that the first learns from (objective distill): a name as of model, or the folder "
        "of a run whose tuned model it is.",
    )

    def outside(self) -> dict[str, str]:
        """Fingerprints of the weights and of the template.

        A hub name has none: asking the hub at every command would need the network, and what was loaded stays what it
        is (the result keeps the commit); name a commit in ``revision`` to move on.
        """
        from sevenfold.load import places, teacher
        from sevenfold.load.tokenizer import template_fingerprint

        second = {"teacher": teacher.fingerprint(self.teacher)} if self.teacher else {}
        return {"model": places.fingerprint(self.model), "template": template_fingerprint(self.template), **second}
