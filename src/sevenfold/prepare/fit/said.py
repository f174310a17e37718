"""What was measured of the rows as tokens, for a person."""

from __future__ import annotations

from array import array
from typing import Any

from sevenfold.chat.preview import View, views
from sevenfold.findings import Chart, Findings, Table
from sevenfold.prepare.audits._sample import Lines, Sample, share
from sevenfold.prepare.audits._scripts import language_name
from sevenfold.prepare.clean.language import UNKNOWN
from sevenfold.prepare.dataset import Row
from sevenfold.prepare.figures import distribution
from sevenfold.prepare.fit.cost import ENGLISH, Cost
from sevenfold.prepare.fit.measure import Measured, Sequences
from sevenfold.prepare.fit.packs import packing

DEAR = 1.5
"""Times the fertility of English from which a language is dear."""
BROKEN = 0.2
"""Share of tokens that are pieces of letters from which the tokenizer does not know the script."""
FEW = 50
"""Words below which nothing is said of a language."""
LONGEST = 1200
"""Characters of a row in the preview."""


def findings(found: Measured, sample: Sample, shown: list[Row], make: Sequences) -> Findings:
    """Figures, pictures and advice."""
    if not found.lengths:
        problem = next(iter(found.refused), "there is no row")
        return Findings(
            "Tokens", f"No row could be made tokens: {problem}", {"rows": 0, "refused": dict(found.refused)}
        )
    kept = [min(length, found.limit) for length in found.lengths]
    english, reference = found.costs.english()
    languages = {
        code: cost.figures(english)
        for code, cost in sorted(found.costs.by.items(), key=lambda item: -item[1].tokens)
        if cost.words >= FEW
    }
    pack, row = packing(kept, found.limit), distribution(found.lengths)
    figures: dict[str, Any] = {
        "rows": sample.size,
        "tokens": sum(found.lengths),
        "tokens_learnt": sum(found.reply),
        "max_length_tokens": found.limit,
        "sequence": row,
        "prompt": distribution(found.prompt),
        "reply": distribution(found.reply),
        "rows_over": found.over,
        "rows_with_nothing_left": found.lost,
        "tokens_cut": dict(found.cut),
        "tokens_by_role": dict(found.roles),
        "tokens_by_role_of_rows_over": dict(found.over_roles),
        "first_over": found.first,
        "packing": pack,
        "english": {"from": reference, "tokens_per_word": round(english.fertility, 4)},
        "languages": languages,
        "refused": dict(found.refused),
    }
    result = Findings("Tokens", said(found, sample, row, pack), figures)
    result.charts = charts(found, row, languages, english, reference)
    result.tables = tables(found, languages, pack, sample)
    if shown:
        seen = list(views(shown, make, found.costs.encoder, found.limit))
        result.tables.append(preview(seen))
    result.advice = advice(found, languages, row)
    return result


def said(found: Measured, sample: Sample, row: dict[str, Any], pack: dict[str, Any]) -> str:
    """One sentence."""
    cut, total = found.cut.total(), sum(found.lengths)
    over = (
        f"{found.over:,} rows ({share(found.over, sample.size)}) are over {found.limit:,} tokens and "
        f"{share(cut, total)} of all tokens lie beyond"
        if found.over
        else f"none is over {found.limit:,} tokens, so nothing is cut"
    )
    return (
        f"Of {sample.said()}, the median has {row['median']:,.0f} tokens and the longest {row['max']:,}; {over}. "
        f"Padded batches would be {pack['padding_share']:.0%} padding; rows one behind the other need none."
    )


def charts(
    found: Measured, row: dict[str, Any], languages: dict[str, Any], english: Cost, reference: str
) -> list[Chart]:
    """Lengths, and what a word costs in each language."""
    says = f"Sequences by their length; training takes {found.limit:,} tokens. The last bar holds all that is longer."
    drawn = [Chart("histogram", "tokens of a sequence", row["histogram"]["edges"], row["histogram"]["counts"], says)]
    if languages:
        bars = {language_name(code): one["tokens_per_word"] for code, one in list(languages.items())[:10]}
        if ENGLISH not in languages:
            bars["English (reference)"] = round(english.fertility, 4)
        says = f"Tokens for one word: fewer is cheaper to train and to run. Compared with {reference}."
        drawn.append(Chart("bars", "tokens per word", list(bars), list(bars.values()), says))
    return drawn


def tables(found: Measured, languages: dict[str, Any], pack: dict[str, Any], sample: Sample) -> list[Table]:
    """Parts, roles, languages and packs."""
    lengths: Lines = [
        [part, *(round(one[key]) for key in ("median", "p95", "max")), sum(values)]
        for part, values in (("prompt", found.prompt), ("learnt", found.reply), ("sequence", found.lengths))
        for one in [distribution(values)]
    ]
    roles: Lines = [
        [role, count, share(count, found.roles.total()), found.over_roles[role]]
        for role, count in found.roles.most_common()
    ]
    beyond: Lines = [
        [part, found.cut[part], share(found.cut[part], sum(values))]
        for part, values in (("learnt", found.reply), ("read", found.prompt))
    ]
    rows: Lines = [["rows over the limit", found.over, share(found.over, sample.size)]]
    rows.append(["rows with nothing left to learn", found.lost, share(found.lost, sample.size)])
    keys = ("tokens_per_word", "times_english", "bytes_per_token", "characters_per_token")
    costs: Lines = [
        [
            language_name(code),
            one["words"],
            *(f"{one[key]:.2f}" for key in keys),
            f"{one['pieces_of_letters_share']:.1%}",
        ]
        for code, one in languages.items()
    ]
    head = ["language", "words", "tokens per word", "times English", "bytes per token", "characters per token"]
    packs: Lines = [
        ["sequences of", f"{pack['pack_tokens']:,} tokens"],
        ["rows in one", f"{pack['rows_per_pack']:.1f}"],
    ]
    packs += [["filled", f"{pack['fill_share']:.1%}"], ["padding of padded batches", f"{pack['padding_share']:.1%}"]]
    return [
        Table("Lengths in tokens", ["part", "median", "95 % below", "longest", "all tokens"], lengths),
        Table(
            f"What lies beyond {found.limit:,} tokens",
            ["what", "count", "share"],
            [*rows, *[[f"tokens that are {part}", *rest] for part, *rest in beyond]],
        ),
        Table("Tokens by role", ["role", "tokens", "share", "in rows over the limit"], roles),
        Table("What each language costs", [*head, "pieces of letters"], costs),
        Table("Packing", ["what", "how much"], packs),
    ]


def preview(seen: list[View]) -> Table:
    """Rows as the trainer sees them; what is learnt stands in double angle brackets."""
    lines: Lines = []
    for view in seen:
        texts = [marked(view.pieces), *(marked(answer.pieces) for answer in view.answers)]
        lines.append([view.origin, view.tokens, view.supervised, "\n".join(texts)[:LONGEST]])
    return Table("Rows as the trainer sees them: ⟪learnt⟫", ["row", "tokens", "learnt", "text"], lines)


def marked(pieces: list[tuple[str, bool]]) -> str:
    """Runs of text with their marks."""
    return "".join(f"⟪{text}⟫" if learnt else text for text, learnt in pieces)


def advice(found: Measured, languages: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """What to do."""
    said = []
    if found.over:
        most = found.over_roles.most_common(1)[0][0]
        enough = -(-int(percentile(found.lengths, 99)) // 64) * 64
        said.append(
            f"{found.over:,} rows are over tune.max_length = {found.limit:,}; most of their tokens are of the role "
            f"{most}. max_length: {enough:,} holds 99 % of the sequences; or shorten them, tune.overlong leaves them "
            "out or cuts their end."
        )
    if found.lost:
        said.append(f"{found.lost:,} rows would have nothing left to learn when cut: their prompt alone is too long.")
    for code, one in languages.items():
        name = language_name(code)
        if code not in {ENGLISH, UNKNOWN} and one["times_english"] >= DEAR:
            said.append(
                f"A word of {name} costs {one['times_english']:.1f} times the tokens of an English one: "
                "training and answers take that much longer and less fits into the context. A model whose tokenizer "
                f"knows {name} would learn it with fewer tokens."
            )
        if one["pieces_of_letters_share"] > BROKEN:
            said.append(
                f"{one['pieces_of_letters_share']:.0%} of the tokens of {name} are pieces of letters: the "
                "tokenizer hardly knows this script. Compare another model before you train."
            )
    for problem, count in found.refused.most_common(3):
        said.append(f"{count:,} rows cannot be made tokens: {problem}")
    return said


def percentile(values: array[int], percent: float) -> float:
    """A percentile."""
    import numpy

    return float(numpy.percentile(numpy.array(values), percent))
