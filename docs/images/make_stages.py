"""Draws ``stages.svg``: the seven stages, what each gives, and where the proofs stand. Run it after an edit."""

from __future__ import annotations

from pathlib import Path

STAGES = [
    ("prepare", "checked rows", "in splits"),
    ("load", "weights and", "safe tokenizer"),
    ("setup", "device, seed,", "plan"),
    ("tune", "adapter or", "weights"),
    ("evaluate", "better or not,", "how sure"),
    ("deploy", "exports and", "a service"),
    ("monitor", "drift, errors,", "alerts"),
]
PROOFS = [
    (3, "before tune", "mask · tokens · packing · accumulation · resume"),
    (4, "after tune", "packing · accumulation · merge"),
    (6, "after deploy", "tokens · export"),
]
BOX, GAP, LEFT, TOP, HEIGHT = 118, 20, 22, 54, 84
MOTTO = "each stage: one command, one section of the recipe, one folder, one function"
INK, SOFT, LINE, PAPER, TEAL = "#1f2933", "#52606d", "#9aa5b1", "#f7f9fb", "#0f766e"


def text(x: float, y: float, words: str, size: int, colour: str, more: str = "") -> str:
    """A line of text, centred."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}" text-anchor="middle" {more}>{words}</text>'


def left_of(index: float) -> float:
    """The left edge of a stage's box; its first is 0."""
    return LEFT + index * (BOX + GAP)


def stage(index: int, name: str, first: str, second: str) -> list[str]:
    """One box with its number, its name and what it gives."""
    x, middle = left_of(index), left_of(index) + BOX / 2
    arrow = f'<path d="M{x - GAP + 3:g} {TOP + HEIGHT / 2:g}h{GAP - 9}" stroke="{INK}" marker-end="url(#tip)"/>'
    return [
        *([arrow] if index else []),
        f'<rect x="{x:g}" y="{TOP}" width="{BOX}" height="{HEIGHT}" rx="8" fill="#ffffff" stroke="{LINE}"/>',
        text(middle, TOP + 26, f"{index + 1} {name}", 16, INK, 'font-weight="700"'),
        text(middle, TOP + 50, first, 12, SOFT),
        text(middle, TOP + 67, second, 12, SOFT),
    ]


def proofs(row: int, gap: int, when: str, names: str) -> list[str]:
    """A mark in the gap before a stage and, below the boxes, the names of the proofs that run there."""
    x, y = left_of(gap) - GAP / 2, TOP + HEIGHT + 38 + row * 30
    # The last mark stands near the right edge, so its words go to its left.
    shift, side = (14, "start") if gap < len(STAGES) - 1 else (-14, "end")
    anchor = f'<text x="{x + shift:g}" y="{y + 4:g}" font-size="13" fill="{TEAL}" text-anchor="{side}">'
    return [
        f'<path d="M{x:g} {TOP + HEIGHT / 2 + 9:g}V{y:g}" stroke="{TEAL}" stroke-width="1.5" stroke-dasharray="3 3"/>',
        f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="{TEAL}"/>',
        f'{anchor}<tspan font-weight="700">{when}:</tspan> {names}</text>',
    ]


def draw() -> str:
    """The whole picture; it brings its own paper, so it reads on light and on dark pages."""
    width, height = LEFT * 2 + 7 * BOX + 6 * GAP, TOP + HEIGHT + 126
    tip = (
        '<marker id="tip" markerWidth="7" markerHeight="7" refX="5" refY="3.5" orient="auto">'
        f'<path d="M0 0L7 3.5L0 7z" fill="{INK}"/></marker>'
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title" font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif">',
        '<title id="title">Seven stages: prepare, load, setup, tune, evaluate, deploy, monitor; proofs run before and '
        "after tune and after deploy</title>",
        f"<defs>{tip}</defs>",
        f'<rect width="{width}" height="{height}" rx="14" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="34" font-size="14" fill="{SOFT}">{MOTTO}</text>',
    ]
    # The marks go first: boxes and words lie above their lines.
    for row, (gap, when, names) in enumerate(reversed(PROOFS)):
        parts += proofs(row, gap, when, names)
    for index, (name, first, second) in enumerate(STAGES):
        parts += stage(index, name, first, second)
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    Path(__file__).with_name("stages.svg").write_text(draw(), encoding="utf-8")
