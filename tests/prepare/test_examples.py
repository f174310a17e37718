"""Examples of what steps changed: the first few, around the change, with what is personal masked."""

from __future__ import annotations


def test_the_first_rows_of_a_step_are_kept_before_and_after(run, write_rows):
    rows = [{"prompt": f"question {n}", "completion": f"{'long ' * 100}a\u200bb {n}"} for n in range(20)]
    found = run(source=write_rows(rows), clean=["unicode"]).report
    assert found["changed"] == {"unicode": 20}
    examples = found["examples"]["unicode"]
    assert [one["origin"].rpartition(":")[2] for one in examples] == ["1", "2", "3"]
    assert all(one["before"] != one["after"] for one in examples)
    assert all(len(one["before"]) < 300 for one in examples)


def test_what_is_personal_is_in_no_example(run, write_rows):
    rows = [{"prompt": f"  mail  ali.rezaei@gmail.com {n}", "completion": "ok"} for n in range(5)]
    done = run(source=write_rows(rows), clean=["whitespace", "pii", {"language": {"column": "tongue"}}])
    found = done.report["examples"]
    assert "gmail" not in str(found)
    assert found["pii"][0]["before"].startswith("mail [EMAIL_1]") or "[EMAIL_1]" in found["pii"][0]["before"]
    assert found["language"][0] == {
        "origin": found["language"][0]["origin"],
        "before": "",
        "after": found["language"][0]["after"],
    }
    assert found["language"][0]["after"].startswith("tongue: ")
