from __future__ import annotations

import pytest

from sevenfold.deploy.exports import EXPORTS
from sevenfold.deploy.section import DeploySection
from sevenfold.errors import RecipeError
from sevenfold.schema import build


def test_the_defaults_write_three_forms_and_serve_the_gguf():
    section = DeploySection()
    assert [EXPORTS.name_of(export) for export in section.export] == ["adapter", "merged", "gguf"]
    assert section.engine.form == "gguf"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"export": ["merged"]}, "xllamacpp opens the export gguf, which is not in export: ['merged']"),
        ({"export": ["gguf", "gguf"]}, "gguf stands twice"),
        ({"export": ["ggfu"]}, "did you mean: gguf"),
        ({"engine": "vlm"}, "available: transformers, xllamacpp"),
        ({"serve": {"prot": 1}}, "did you mean: port"),
        ({"export": [{"gguf": {"outtype": "q4"}}]}, "outtype"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(fields, words):
    with pytest.raises(RecipeError) as caught:
        build(DeploySection, fields, "deploy")
    assert words in str(caught.value)
