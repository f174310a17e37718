"""Changes that most mislead a small classifier of the rows, while the text stays what it says."""

from __future__ import annotations

from random import Random
from typing import Annotated, Literal

from pydantic import Field

from sevenfold.prepare.augment import AUGMENTERS, Augmenter, Known, Way, amount
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.making.likeness import SAMPLE, Likeness
from sevenfold.prepare.making.surrogate import Surrogate
from sevenfold.prepare.naming import REPLY, value_of
from sevenfold.schema import Chosen
from sevenfold.vectors import VECTORS, Vectors


def default_vectors() -> Vectors:
    """Hashed characters, fast enough for many questions to the classifier."""
    return VECTORS.find("ngrams")()


class Adversarial(Augmenter):
    """Greedy: the words on which a classifier's belief in the true label hangs most are changed so that it falls most.

    The search of TextFooler (Jin et al. 2020, arXiv 1907.11932) with a logistic regression over vectors in place of
    the model under attack. It ends when the classifier is misled, or enough words are changed. For labelled rows;
    line breaks become spaces. In memory are the texts of all rows and their vectors, 4 kB a row, while it is fitted.
    """

    main = "label"
    label: str = Field(REPLY, description="The column of the label; reply: the reply is the label.")
    # Names alone: a way that holds any way would make the recipe's schema endless.
    ways: tuple[Literal["typos", "characters", "synonyms"], ...] = Field(
        ("typos",), min_length=1, description="How one word is changed, each way with its default settings."
    )
    tries: int = Field(8, ge=1, le=100, description="Changes of a word that are compared.")
    share: float = Field(0.2, gt=0, le=1, description="Words changed at most, as a share of a text's words.")
    alike: float = Field(0.5, le=1, description="Least likeness of the changed text to the one before.")
    vectors: Annotated[Vectors, Chosen(VECTORS)] = Field(
        default_factory=default_vectors, description="What the classifier sees, and texts are compared by."
    )

    def start(self, known: Known) -> Way:
        """Fit the classifier."""
        pairs = [(text, value_of(row, self.label)) for text, row in known.texts() if value_of(row, self.label)]
        texts = [text for text, _ in pairs]
        surrogate = Surrogate(self.vectors, texts, [label for _, label in pairs])
        likeness = Likeness(self.vectors, texts[: 20 * SAMPLE], known.work.random("adversarial"))
        ways = [AUGMENTERS.find(name)().start(known) for name in self.ways]

        def way(text: str, random: Random, row: Row) -> str | None:
            label = value_of(row, self.label)
            if label not in surrogate.places or len(text.split()) < 2:
                return None
            options = Options(ways, self.tries, random, row)
            return self.misleading(text, label, options, surrogate, likeness)

        return way

    def change(self, text: str, random: Random) -> str | None:
        """Nothing: without the rows there is no classifier."""
        return None

    def misleading(
        self, text: str, label: str, options: Options, surrogate: Surrogate, likeness: Likeness
    ) -> str | None:
        """The text changed greedily; None where nothing lowers the belief in its label."""
        words = text.split()
        without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
        sure = surrogate.sure(without, label)
        ranked = sorted(range(len(words)), key=sure.__getitem__)
        (belief,), first = surrogate.sure([text], label), list(words)
        for place in ranked[: amount(self.share, len(words))]:
            tried = [[*words[:place], word, *words[place + 1 :]] for word in options.of(words[place])]
            texts = [" ".join(one) for one in tried]
            if not texts:
                continue
            beliefs, alike = surrogate.sure(texts, label), likeness.between(texts, [text] * len(texts))
            allowed = [
                number for number in range(len(tried)) if alike[number] >= self.alike and beliefs[number] < belief
            ]
            if not allowed:
                continue
            best = min(allowed, key=beliefs.__getitem__)
            words, belief = tried[best], beliefs[best]
            if surrogate.labels([texts[best]]) != [label]:
                break
        return " ".join(words) if words != first else None


class Options:
    """What a word can become.

    Args:
        ways: How words are changed.
        tries: How often.
        random: Chance.
        row: The word's row.
    """

    def __init__(self, ways: list[Way], tries: int, random: Random, row: Row) -> None:
        self.ways, self.tries, self.random, self.row = ways, tries, random, row

    def of(self, word: str) -> list[str]:
        """Other words for one, each once."""
        found = (way(word, self.random, self.row) for _ in range(self.tries) for way in self.ways)
        return list(dict.fromkeys(other for other in found if other and other != word))
