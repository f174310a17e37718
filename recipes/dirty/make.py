"""Make the dirty rows: real messages in two languages, with defects planted in known places, in files of all kinds.

python recipes/dirty/make.py dirty-data            # what the recipe reads, and planted.json: which row has what
python recipes/dirty/make.py clean-data --clean    # the same rows before they were spoilt
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sqlite3
from pathlib import Path
from random import Random

from defects import COPIES, SPOILS, words
from messages import Row, foreign, rows

COLUMNS = ("id", "prompt", "completion", "topic", "product", "team")
FOREIGN, LEAKS, BROKEN = 12, 15, 4
SEED = 17


def spoil(clean: list[Row], seed: int) -> tuple[list[Row], dict[str, list[str]]]:
    """The rows with defects, each row at most one; and defect to the ids of the rows that have it."""
    dice = Random(seed)
    free, planted = {row["id"]: row for row in clean}, dict[str, list[str]]()
    found = dict(free)
    for name, (count, change, fits) in SPOILS.items():
        chosen = dice.sample([key for key, row in free.items() if fits(row)], count)
        found |= {key: change(free[key], dice) for key in chosen}
        planted[name] = sorted(chosen)
        free = {key: row for key, row in free.items() if key not in chosen}
    for name, (count, change, fits) in COPIES.items():
        chosen = dice.sample([key for key, row in free.items() if fits(row)], count)
        found |= {f"{key}-again": change(free[key], dice) | {"id": f"{key}-again"} for key in chosen}
        planted[name] = [f"{key}-again" for key in sorted(chosen)]
        free = {key: row for key, row in free.items() if key not in chosen}
    strange = {f"x{n:02d}": row | {"id": f"x{n:02d}"} for n, row in enumerate(foreign(FOREIGN, seed), start=1)}
    planted["other language"] = list(strange)
    planted["leak"] = dice.sample([key for key, row in free.items() if words(row) >= 13], LEAKS)
    everything = list({**found, **strange}.values())
    dice.shuffle(everything)
    return everything, planted


def write_clean(folder: Path, clean: list[Row]) -> None:
    """The rows before they were spoilt, in one file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in clean)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")


def write(folder: Path, everything: list[Row], clean: dict[str, Row], leaks: list[str]) -> None:
    """The rows by product into files of five kinds, and the evaluation set that some rows leaked from.

    Args:
        folder: Where to.
        everything: The rows.
        clean: The rows before they were spoilt, by id.
        leaks: Rows whose text is in the evaluation set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, list[Row]] = {}
    for row in everything:
        parts.setdefault(clean.get(row["id"].removesuffix("-again"), row)["product"], []).append(row)
    write_jsonl(folder / "sphinx.jsonl.gz", parts["sphinx"])
    write_csv(folder / "rest_framework.csv", parts["rest_framework"])
    write_excel(folder / "allauth.xlsx", parts["allauth"])
    half = len(parts["django"]) // 2
    write_sqlite(folder / "django.sqlite", parts["django"][:half])
    write_parquet(folder / "django.parquet", parts["django"][half:])
    held = "".join(json.dumps({"question": clean[key]["completion"]}, ensure_ascii=False) + "\n" for key in leaks)
    (folder / "evaluation.jsonl").write_text(held, encoding="utf-8")


def write_jsonl(path: Path, part: list[Row]) -> None:
    """One object a line, compressed; some lines are cut off."""
    lines = [json.dumps(row, ensure_ascii=False) for row in part]
    for number in range(BROKEN):
        lines.insert(10 * (number + 1), '{"id": "broken", "prompt": "Translate into')
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write("\n".join(lines).encode())


def write_csv(path: Path, part: list[Row]) -> None:
    """A table of text; some lines have a cell too few."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, row in enumerate(part):
            writer.writerow([row[name] for name in COLUMNS])
            if number < BROKEN:
                writer.writerow(["broken", "a line with two cells"])


def write_excel(path: Path, part: list[Row]) -> None:
    """A sheet."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("messages")
    for line in (COLUMNS, *([row[name] for name in COLUMNS] for row in part)):
        sheet.append(line)
    book.save(path)


def write_sqlite(path: Path, part: list[Row]) -> None:
    """A table of a database."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute(f"create table messages ({', '.join(f'{name} text' for name in COLUMNS)})")
        lines = [[row[name] for name in COLUMNS] for row in part]
        database.executemany(f"insert into messages values ({', '.join('?' * len(COLUMNS))})", lines)
    database.close()


def write_parquet(path: Path, part: list[Row]) -> None:
    """A Parquet file, as data sets of the hub come."""
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({name: [row[name] for row in part] for name in COLUMNS})
    parquet.write_table(table, path)


def main() -> None:
    """Make the files."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--clean", action="store_true", help="the rows before they were spoilt")
    given = asked.parse_args()
    clean = {row["id"]: row for row in rows(SEED)}
    everything, planted = spoil(list(clean.values()), SEED)
    if given.clean:
        write_clean(given.folder, list(clean.values()))
        return
    write(given.folder, everything, clean, planted["leak"])
    planted["unreadable"] = ["broken"] * 2 * BROKEN
    facts = {"planted": planted, "topics": {key: row["topic"] for key, row in clean.items()}}
    (given.folder / "planted.json").write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"{len(everything)} rows in {given.folder}")


if __name__ == "__main__":
    main()
