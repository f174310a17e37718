"""Language: which one a row is in, identified offline."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from typing import Any, Literal

from pydantic import Field, model_validator

from sevenfold.errors import MachineError, RecipeError
from sevenfold.prepare.clean import Counting, Dropped, Outcome, Single, noted
from sevenfold.prepare.dataset import Row

UNKNOWN = "unknown"
NO_LETTER = re.compile(r"[\W\d_]+")
MOST = 4000
"""Characters of a text that are read; the rest says nothing new of its language."""


class Language(Single):
    """Languages are counted; with keep or drop, rows in others are dropped as `language_CODE`.

    Identified by the package py3langid (`sevenfold[prepare]`), a classifier of byte sequences that is read from the
    package, not from a network. Texts too short or too unsure are `unknown`, and stay unless `unknown` says otherwise.
    Names and single words are often mistaken; where the possible languages are known, `among` helps.
    """

    main = "keep"
    keep: tuple[str, ...] = Field((), description="Languages that stay, as ISO 639-1 codes (en, fa); none given: all.")
    drop: tuple[str, ...] = Field((), description="Languages that are dropped; not together with keep.")
    among: tuple[str, ...] = Field((), description="The only languages that are considered; none given: all known.")
    confidence: float = Field(
        0.5, ge=0, le=1, description="Least share of the probability that the first language has; below: unknown."
    )
    shortest: int = Field(10, ge=1, description="Letters below which a text's language is unknown.")
    by: Literal["row", "message"] = Field(
        "row",
        description="row: all messages as one text; message: each by itself, and all of them have to be allowed.",
    )
    unknown: Literal["keep", "drop"] = Field("keep", description="What becomes of rows whose language is unknown.")
    column: str | None = Field(None, description="A column that the languages are written into; not given: none.")

    @model_validator(mode="after")
    def one_list(self) -> Language:
        """Refuse two lists that could contradict each other, and a language that is never found."""
        if self.keep and self.drop:
            raise ValueError("keep and drop exclude each other")
        if self.among and not {*self.keep, *self.drop} <= {*self.among}:
            raise ValueError("every language of keep and drop has to stand in among too")
        return self

    def start(self) -> Callable[[Row], Outcome]:
        """Load the classifier and look at every row.

        Raises:
            RecipeError: A language is not known to the classifier.
            MachineError: The package is not installed.
        """
        known = identifier(()).labels
        for code in (*self.keep, *self.drop, *self.among):
            if code not in known:
                raise RecipeError(f"language: {code!r} is no language that can be told", value=code, alternatives=known)
        return Telling(self)

    def of(self, text: str) -> str:
        """A text's language, or ``unknown``."""
        text = text[:MOST]
        if len(NO_LETTER.sub("", text)) < self.shortest:
            return UNKNOWN
        code, confidence = identifier(tuple(sorted(self.among))).classify(text)
        return str(code) if confidence >= self.confidence else UNKNOWN

    def allows(self, code: str) -> bool:
        """Whether a text in this language may stay."""
        if code == UNKNOWN:
            return self.unknown == "keep"
        return code in self.keep if self.keep else code not in self.drop


class Telling(Counting):
    """One pass: rows (or messages) by language."""

    def __init__(self, step: Language) -> None:
        super().__init__()
        self.step = step

    def __call__(self, row: Row) -> Outcome:
        """Tell the row's languages, count them, and keep or drop it."""
        found = [self.step.of(text) for text in self.texts(row)]
        self.figures.update(found)
        refused = next((code for code in found if not self.step.allows(code)), None)
        if refused is not None:
            return Dropped(f"language_{refused}")
        return row if self.step.column is None else noted(row, self.step.column, ",".join(dict.fromkeys(found)))

    def texts(self, row: Row) -> Iterator[str]:
        """What is looked at by itself."""
        texts = [message.content for message in row.conversation.messages]
        yield from texts if self.step.by == "message" else ["\n".join(texts)]


@cache
def identifier(among: tuple[str, ...]) -> Any:
    """The classifier for some languages, or for all where none are given; its data are loaded once.

    Raises:
        MachineError: The package is not installed.
    """
    if among:
        narrowed = copy(identifier(()))
        narrowed.set_languages(list(among))
        return narrowed
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise MachineError("py3langid is not installed", next_step="pip install 'sevenfold[prepare]'") from None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
