"""The same work by hand: `datasets.map` and `filter` with two processes, a set of hashes, and MinHash by rensa."""

import hashlib
import json
import re
import sys
import unicodedata

from datasets import load_dataset, logging
from rensa import RMinHash, RMinHashLSH

JUNK = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufff9-\ufffb]")
SPACES = re.compile(r"[ \t]+(?=\n|$)")


def tidy(text: str) -> str:
    text = unicodedata.normalize("NFC", JUNK.sub("", text)).replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n{4,}", "\n\n\n", SPACES.sub("", text)).strip()


def clean(row: dict[str, str]) -> dict[str, str]:
    return {name: tidy(row[name]) for name in ("prompt", "completion")}


def stays(row: dict[str, str]) -> bool:
    return bool(row["prompt"] and row["completion"]) and len(row["prompt"]) + len(row["completion"]) <= 4000


def key(row: dict[str, str]) -> dict[str, bytes]:
    text = "\0".join(" ".join(row[name].split()) for name in ("prompt", "completion"))
    return {"key": hashlib.blake2b(text.encode(), digest_size=16).digest()}


def near(dataset: object) -> list[int]:
    index, signatures, left = RMinHashLSH(threshold=0.8, num_perm=126, num_bands=21), {}, []
    for number, row in enumerate(dataset):
        text = " ".join(re.findall(r"\w+", f"{row['prompt']} {row['completion']}".casefold()))
        found = RMinHash(num_perm=126, seed=17)
        found.update(list({text[at : at + 5] for at in range(max(1, len(text) - 4))}))
        if not any(found.jaccard(signatures[one]) >= 0.8 for one in index.query(found)):
            index.insert(number, found)
            signatures[number] = found
            left.append(number)
    return left


def main(source: str, folder: str, wanted: str, processes: str) -> None:
    logging.disable_progress_bar()
    dataset = load_dataset("json", data_files=source, split="train", cache_dir=f"{folder}/cache")
    dataset = dataset.map(clean, num_proc=int(processes)).filter(stays, num_proc=int(processes))
    dataset = dataset.map(key, num_proc=int(processes))
    seen: set[bytes] = set()
    first = [n for n, one in enumerate(dataset["key"]) if not (one in seen or seen.add(one))]
    dataset = dataset.select(first).remove_columns("key")
    if wanted == "near":
        dataset = dataset.select(near(dataset))
    dataset.to_parquet(f"{folder}/rows.parquet")
    sys.stdout.write(json.dumps({"rows": len(dataset)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
