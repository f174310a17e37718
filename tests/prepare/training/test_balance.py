"""Over- and under-sampling: planted numbers of labels come out as asked, and nothing else moves."""

from __future__ import annotations

from collections import Counter

import pytest

from sevenfold.errors import DataError, RecipeError

PLANTED = {"common": 90, "some": 30, "rare": 7}


@pytest.fixture
def rows(write_rows):
    """Rows with planted numbers of labels; those of ``common`` are of nine kinds, ten each."""
    made = [
        {"text": f"{label} topic{n % 9} number {n}", "label": label, "tier": "b" if label == "rare" else "a"}
        for label, count in PLANTED.items()
        for n in range(count)
    ]
    return write_rows(made)


def labels(found) -> dict[str, int]:
    return dict(Counter(row.conversation.reference() for row in found.rows("train")))


@pytest.mark.parametrize(
    ("to", "after"),
    [
        ("majority", {"common": 90, "some": 90, "rare": 90}),
        (0.5, {"common": 90, "some": 45, "rare": 45}),
        ({"rare": 20}, {"common": 90, "some": 30, "rare": 20}),
        ({"common": 5}, PLANTED),
    ],
)
def test_rare_labels_are_copied_up_to_what_is_asked(to, after, run, rows):
    found = run(source=rows, training=[{"oversample": {"to": to}}])
    assert labels(found) == after
    made = [row for row in found.rows("train") if row.made_by]
    sources = {row.origin: row for row in found.rows("train") if not row.made_by}
    assert len(sources) == sum(PLANTED.values())
    assert len(made) == sum(after.values()) - sum(PLANTED.values())
    for row in made:
        assert sources[row.parents[0]].conversation == row.conversation
        assert sources[row.parents[0]].fields == row.fields
    # No row stands twice more often than another of its label.
    times = Counter(row.parents[0] for row in made)
    for label in PLANTED:
        counts = [times[origin] for origin, row in sources.items() if row.conversation.reference() == label]
        assert max(counts) - min(counts) <= 1
    told = found.report["training"][0]
    assert told["figures"]["rows_changed"] == len(made)
    assert [line[1:] for line in told["tables"][0]["lines"]] == [[PLANTED[one], after[one]] for one in sorted(PLANTED)]
    assert len(told["charts"]) == 2


@pytest.mark.parametrize("how", ["random", "near_miss", "clusters"])
@pytest.mark.parametrize(
    ("to", "after"),
    [
        ("minority", {"common": 7, "some": 7, "rare": 7}),
        (2.0, {"common": 14, "some": 14, "rare": 7}),
        ({"common": 11}, {"common": 11, "some": 30, "rare": 7}),
    ],
)
def test_common_labels_are_cut_down_to_what_is_asked(how, to, after, run, rows):
    found = run(source=rows, training=[{"undersample": {"to": to, "how": how}}])
    assert labels(found) == after
    gone = sum(PLANTED.values()) - sum(after.values())
    assert found.report["dropped"] == {"undersampled": gone}
    assert len(found.dropped) == gone


def test_near_miss_keeps_rows_at_the_border(run, write_rows):
    """Six common rows speak as the rare ones do; these stay."""
    made = [{"text": f"unrelated words about {n} ships", "label": "common"} for n in range(40)]
    made += [{"text": f"the purple kite {n}", "label": "common"} for n in range(6)]
    made += [{"text": f"the purple kite flies {n}", "label": "rare"} for n in range(6)]
    found = run(source=write_rows(made), training=[{"undersample": {"how": "near_miss"}}])
    kept = [row.conversation.prompt()[0].content for row in found.rows("train")]
    assert sum("purple kite" in text for text in kept) == 12


def test_clusters_keep_one_row_of_each_kind(run, write_rows):
    """Of five kinds with very different numbers of rows each keeps one; chance would lose the small ones."""
    kinds = ("apple orchard", "quantum physics", "violin sonata", "mountain glacier", "brick kiln")
    made = [
        {"text": f"{kind} {n}", "label": "common"} for place, kind in enumerate(kinds) for n in range(2 + 8 * place)
    ]
    made += [{"text": f"zebra {n}", "label": "rare"} for n in range(5)]
    found = run(source=write_rows(made), training=[{"undersample": {"how": "clusters"}}])
    kept = [
        row.conversation.prompt()[0].content for row in found.rows("train") if row.conversation.reference() != "rare"
    ]
    assert {" ".join(text.split()[:2]) for text in kept} >= set(kinds[1:])


def test_a_column_in_the_place_of_the_reply(run, rows):
    found = run(source=rows, training=[{"oversample": {"by": "tier"}}])
    assert Counter(row.fields["tier"] for row in found.rows("train")) == {"a": 120, "b": 120}


def test_what_is_held_out_stays(run, rows):
    split = {"validation": 10, "test": 10}
    plain = run("plain", source=rows, split=split)
    for change in ("oversample", "undersample"):
        found = run(change, source=rows, split=split, training=[change])
        assert found.rows("validation", "test") == plain.rows("validation", "test")
        again = run(f"{change}-again", source=rows, split=split, training=[change])
        assert again.rows("train") == found.rows("train")


@pytest.mark.parametrize("change", ["oversample", "undersample"])
def test_errors_say_what_there_is(change, run, rows):
    with pytest.raises(DataError, match="no training row has the label 'rear'") as caught:
        run(source=rows, training=[{change: {"to": {"rear": 9}}}])
    assert "did you mean: rare" in str(caught.value)
    with pytest.raises(DataError, match="the row has no column 'topic'"):
        run(source=rows, training=[{change: {"by": "topic"}}])
    with pytest.raises(RecipeError):
        run(source=rows, training=[{change: {"to": -1}}])
