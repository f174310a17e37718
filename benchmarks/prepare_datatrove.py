"""The same work by datatrove: its own executor with two workers, its exact and MinHash deduplication."""

import json
import re
import sys
from pathlib import Path

import xxhash
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import (
    ExactDedupFilter,
    ExactDedupSignature,
    ExactFindDedups,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
    minhash,
)
from datatrove.pipeline.dedup.exact_dedup import ExactDedupConfig
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.text import TextNormConfig
from prepare_plain import stays, tidy


class Clean(PipelineStep):
    name = "clean"

    def run(self, data, rank=0, world_size=1):
        for document in data:
            row = {name: tidy(document.metadata[name]) for name in ("prompt", "completion")}
            if stays(row):
                document.metadata |= row
                document.text = f"{row['prompt']}\n{row['completion']}"
                yield document


class Characters:
    """The characters of a text's words, a space between words: it compares so many "words" in a row."""

    def word_tokenize(self, text):
        return " ".join(re.findall(r"\w+", text))


def adapt(self, data, path, id_in_file):
    return {"text": f"{data['prompt']}\n{data['completion']}", "id": f"{path}/{id_in_file}", "metadata": data}


def content(document) -> bytes:
    return " ".join(document.text.split()).encode()


def hashed(text: str) -> int:
    return xxhash.xxh64_intdigest(text.encode())


def go(logs, steps, tasks, workers):
    LocalPipelineExecutor(steps, tasks=tasks, workers=workers, logging_dir=str(logs), skip_completed=False).run()


def reader(folder):
    return JsonlReader(str(folder), glob_pattern="*.jsonl*")


def main(source: str, folder: str, wanted: str, processes: str) -> None:
    tasks, work = int(processes), Path(folder)
    raw = work / "raw"
    raw.mkdir(parents=True)
    # It shares work by files, so the rows are parted first; this counts, as a user would have to do it.
    outs = [(raw / f"{number}.jsonl").open("w", encoding="utf-8") for number in range(tasks)]
    with open(source, encoding="utf-8") as file:
        for number, line in enumerate(file):
            outs[number % tasks].write(line)
    for out in outs:
        out.close()
    exact = ExactDedupConfig(content_getter=content)
    rows = JsonlReader(str(raw), adapter=adapt)
    plain = lambda place: JsonlWriter(str(work / place), compression=None)  # noqa: E731
    go(work / "logs", [rows, Clean(), plain("clean")], tasks, tasks)
    go(work / "logs", [reader(work / "clean"), ExactDedupSignature(str(work / "sig"), exact)], tasks, tasks)
    go(work / "logs", [ExactFindDedups(str(work / "sig"), str(work / "dups"), exact)], 1, 1)
    go(
        work / "logs",
        [reader(work / "clean"), ExactDedupFilter(str(work / "dups"), exact), plain("exact")],
        tasks,
        tasks,
    )
    last = "exact"
    if wanted == "near":
        # Its defaults would put all numbers for the same one and leave accents out.
        form = TextNormConfig(norm_numbers=False, norm_unicode_diacritics=False)
        config = MinhashConfig(n_grams=5, num_buckets=21, hashes_per_bucket=6, norm_config=form)
        names = [str(work / name) for name in ("m-sig", "m-buckets", "m-remove")]
        # It hands texts to xxhash, which takes bytes; its other function, SHA-1, is slower.
        minhash.create_hash_func = lambda config: hashed
        minhash.load_word_tokenizer = lambda language: Characters()
        go(work / "logs", [reader(work / last), MinhashDedupSignature(names[0], config=config)], tasks, tasks)
        go(work / "logs", [MinhashDedupBuckets(names[0], names[1], config=config)], 21, tasks)
        go(work / "logs", [MinhashDedupCluster(names[1], names[2], config=config)], 1, 1)
        go(work / "logs", [reader(work / last), MinhashDedupFilter(names[2]), plain("near")], tasks, tasks)
        last = "near"
    count = sum(sum(1 for _ in path.open("rb")) for path in (work / last).glob("*.jsonl"))
    sys.stdout.write(json.dumps({"rows": count}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
