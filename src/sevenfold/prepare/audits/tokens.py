"""How the rows fit a tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from sevenfold.chat import templates
from sevenfold.chat.encoder import Encoder
from sevenfold.errors import DataError
from sevenfold.findings import Findings
from sevenfold.prepare.audits import Audit
from sevenfold.prepare.dataset import Dataset
from sevenfold.prepare.fit import fit
from sevenfold.prepare.work import Work
from sevenfold.record import file_digest

FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)


class Tokens(Audit):
    """Lengths in tokens, what would be cut before anything is cut, packing, and what a word costs beside English.

    The tokenizer is a folder that holds `tokenizer.json`, or that file itself. The recipe's own model needs no audit:
    every run measures it as soon as the model is there (`tokens.json`), with `tune.max_length`.
    """

    main = "tokenizer"
    tokenizer: str = Field(description="A folder with tokenizer.json, or the file; nothing is downloaded.")
    max_length: int = Field(512, ge=2, description="Tokens of the longest sequence that training will take.")
    template: str = Field(
        "own", description="The chat template, by name or as a .jinja file; own: the tokenizer's, else chatml."
    )
    rows: int | None = Field(2000, ge=1, description="Rows that are looked at, evenly spaced; null: all.")

    def fingerprints(self) -> dict[str, str]:
        """The tokenizer's files.

        Raises:
            DataError: There is none.
        """
        path = self.place()
        files = [path] if path.is_file() else [path / name for name in FILES if (path / name).is_file()]
        return {str(file): file_digest(file) for file in files}

    def place(self) -> Path:
        """Where the tokenizer lies.

        Raises:
            DataError: It is not there.
        """
        path = Path(self.tokenizer).expanduser()
        if path.is_file() or (path.is_dir() and any((path / name).is_file() for name in FILES)):
            return path
        raise DataError(
            f"there is no tokenizer in {self.tokenizer!r}",
            where="prepare.audits: tokens",
            expected="a folder with tokenizer.json, or the file",
            next_step="the recipe's own model is measured without this audit: sevenfold load RECIPE writes tokens.json",
        )

    def examine(self, dataset: Dataset, work: Work) -> Findings:
        """Make tokens of the rows and count.

        Raises:
            DataError: The tokenizer cannot be read.
            ModelError: There is no such template.
        """
        return fit(dataset, self.encoder(work), self.max_length, work.console, rows=self.rows)

    def encoder(self, work: Work) -> Encoder:
        """The tokenizer with a template."""
        tokenizer = self.read()
        if self.template != templates.OWN:
            tokenizer.chat_template = templates.read(self.template)
        elif not tokenizer.chat_template:
            tokenizer.chat_template = templates.read("chatml")
            work.note("tokens: the tokenizer has no chat template of its own; chatml stands for it")
        end = tokenizer.eos_token_id
        return Encoder(tokenizer, [end] if isinstance(end, int) else [len(tokenizer) - 1])

    def read(self) -> Any:
        """The tokenizer; code that it brings is never run.

        Raises:
            DataError: It cannot be read.
        """
        from transformers import AutoTokenizer, PreTrainedTokenizerFast

        path = self.place()
        try:
            if path.is_file():
                return PreTrainedTokenizerFast(tokenizer_file=str(path))
            return AutoTokenizer.from_pretrained(path, trust_remote_code=False, local_files_only=True)
        except Exception as error:  # tokenizers raises plain Exception for a broken file
            raise DataError(f"the tokenizer cannot be read: {first(error)}", where=str(path)) from error


def first(error: Exception) -> str:
    """The first line of an error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
