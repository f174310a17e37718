"""A text by way of another language and back: the same said with other words."""

from __future__ import annotations

from random import Random
from typing import Annotated

from pydantic import Field

from sevenfold.prepare.augment import Augmenter, Known, Way
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.translators import TRANSLATORS, Translation, Translator
from sevenfold.schema import Chosen


class BackTranslation(Augmenter):
    """Into another language and back (Sennrich et al. 2016, arXiv 1511.06709), by the translator that you name."""

    translator: Annotated[Translator, Chosen(TRANSLATORS)] = Field(
        description="{service: {endpoint: {model: NAME}}}, a model that is asked, or a file of yours."
    )
    language: str = Field("English", description="The language of the rows, as the translator knows it.")
    through: tuple[str, ...] = Field(("German",), min_length=1, description="Languages to go through, drawn by chance.")

    def start(self, known: Known) -> Way:
        """Start the translator."""
        translate = self.translator.start(known.work)

        def way(text: str, random: Random, _: Row) -> str | None:
            return self.there_and_back(text, random, translate)

        return way

    def change(self, text: str, random: Random) -> str | None:
        """The text by way of another language, by a translator that needs no start."""
        return self.there_and_back(text, random, self.translator.translate)

    def there_and_back(self, text: str, random: Random, translate: Translation) -> str | None:
        """Two translations; None where they give the text itself, or nothing."""
        if not text.strip():
            return None
        between = random.choice(self.through)
        back = translate(translate(text, self.language, between), between, self.language).strip()
        return back if back and back != text.strip() else None
