"""A small review in English and Persian, as the contract's files have it."""

from __future__ import annotations

import json
from pathlib import Path

LABELS = ["positive", "negative", "neutral"]
PERSIAN = "این فیلم را ۳ بار دیدم؛ عالی بود!\nپایان آن کمی کُند بود."
ROWS = [
    {
        "origin": "reviews.csv:2",
        "text": "The film was wonderful.",
        "label": "positive",
        "scores": {"positive": 0.91, "negative": 0.06, "neutral": 0.03},
        "why": "the given label is negative, but the model is sure of positive",
        "context": {"source": "shop", "شهر": "تهران"},
    },
    {
        "origin": "reviews.csv:3",
        "text": PERSIAN,
        "label": "positive",
        "scores": {"positive": 0.55, "neutral": 0.45},
        "why": "two labels are near",
        "context": {},
    },
    {
        "origin": "reviews.csv:4",
        "text": "<script>alert(1)</script> I want my money back",
        "label": None,
        "scores": {},
        "why": "",
        "context": {},
    },
    {"origin": "reviews.csv:5", "text": "=1+1 it came", "label": "neutral", "scores": {}, "why": "", "context": {}},
    {
        "origin": "reviews.csv:6",
        "text": "فروشنده پاسخ نداد و من WhatsApp پیام دادم",
        "label": "negative",
        "scores": {"negative": 0.8},
        "why": "",
        "context": {},
    },
]


def write_review(folder: Path, multi: bool = False, labels: list[str] | None = None) -> Path:
    """``review.jsonl`` and ``review.meta.json`` in a folder."""
    path = folder / "review.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    meta = {"labels": labels or LABELS, "question": "How is the review?", "multi": multi}
    (folder / "review.meta.json").write_text(json.dumps(meta), encoding="utf-8")
    return path


def lines(path: Path) -> list[dict]:
    """The objects of a file of JSON Lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
