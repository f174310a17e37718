"""A language model behind an address, asked to translate."""

from __future__ import annotations

from pydantic import Field

from sevenfold.errors import MachineError
from sevenfold.prepare.making.endpoint import Asking, Endpoint
from sevenfold.prepare.translators import Translation, Translator
from sevenfold.prepare.work import Work


class Service(Translator):
    """Any model with OpenAI's form of chat; every answer is kept and asked for once. Texts are sent to the address."""

    endpoint: Endpoint = Field(description="The model that translates.")

    def start(self, work: Work) -> Translation:
        """Open the file of answers."""
        asking = Asking(self.endpoint, work)

        def translate(text: str, source: str, target: str) -> str:
            return asking.answer(question(text, source, target)).strip()

        return translate

    def translate(self, text: str, source: str, target: str) -> str:
        """Not without a place for the answers."""
        raise MachineError("this translator keeps its answers", next_step="call start(work) and use what it gives")


def question(text: str, source: str, target: str) -> str:
    """What the model is asked."""
    return (
        f"Translate the text between the marks from {source} to {target}. Keep what stands in square brackets. "
        f"Write the translation and nothing else.\n\n<text>\n{text}\n</text>"
    )
