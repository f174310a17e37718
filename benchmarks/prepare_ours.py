"""Sevenfold's `prepare` on a file of rows, as a process of its own; a split only where one is asked for."""

import json
import sys
from pathlib import Path

from sevenfold.prepare.section import PrepareSection
from sevenfold.prepare.stage import prepare
from sevenfold.record import Entry

source, folder, near, workers, *split = sys.argv[1:]
share = 0.1 if split else 0
section = PrepareSection(
    source=source,
    clean=["unicode", "whitespace", "empty", {"length": 4000}, "duplicates"],
    near_duplicates={"threshold": 0.8} if near == "near" else None,
    split={"validation": share, "test": share},
    audits=[],  # The others have none.
    workers="here" if workers == "1" else {"processes": int(workers)},
)
sys.stdout.write(json.dumps({"rows": sum(prepare(section, Entry(Path(folder))).counts.values())}) + "\n")
