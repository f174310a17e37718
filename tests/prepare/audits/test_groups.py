"""The bias audit: planted rates and mentions are found, equal groups are not accused."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError


def rows(rate_of: dict[str, float], each: int = 200) -> list[dict]:
    return [
        {
            "prompt": f"{group} asks {n}",
            "completion": "fine",
            "group": group,
            "label": "granted" if n < rate * each else "refused",
        }
        for group, rate in rate_of.items()
        for n in range(each)
    ]


def test_a_planted_disparity_is_found_with_its_ratio(audit):
    found = audit(rows({"north": 0.6, "south": 0.3, "west": 0.6}), {"groups": {"column": "group", "label": "label"}})
    tests = {one["label"]: one for one in found["figures"]["labels"]}
    assert tests["granted"]["disparity_ratio"] == 0.5
    assert (tests["granted"]["lowest"], tests["granted"]["p_corrected"] < 1e-6) == ("south", True)
    assert any("granted: the rate in south is 0.50" in advice for advice in found["advice"])
    assert "It cannot be concluded" in found["advice"][-1]
    line = next(line for line in found["tables"][1]["lines"] if line[:2] == ["granted", "south"])
    assert line[2:4] == [60, "30.0% (24.1% to 36.7%)"]


def test_equal_groups_and_small_ones_are_not_accused(audit):
    same = audit(rows({"north": 0.5, "south": 0.5}), {"groups": {"column": "group", "label": "label"}})
    assert len(same["advice"]) == 1
    small = audit(rows({"north": 0.9, "south": 0.1}, 20), {"groups": {"column": "group", "label": "label"}})
    assert small["figures"]["labels"] == []
    assert "fewer than 30 rows" in small["advice"][0]


def test_mentions_harm_and_personal_data_are_counted(audit):
    planted = [
        *({"prompt": f"the woman said {n}", "completion": "yes"} for n in range(5)),
        *({"prompt": f"یک مرد ایرانی گفت {n}", "completion": "بله"} for n in range(3)),
        *({"prompt": f"the human manager of Germany {n}", "completion": "yes"} for n in range(4)),
        {"prompt": "a muslim family: you bastards", "completion": "no"},
    ]
    figures = audit(planted, "groups")["figures"]["mentions"]
    assert figures["gender: women"] == {"rows": 5, "harmful_rows": 0}
    assert figures["gender: men"]["rows"] == 3
    assert figures["origin: Iranian"]["rows"] == 3
    assert figures["religion: Muslim"] == {"rows": 1, "harmful_rows": 1}
    assert set(figures) == {"gender: women", "gender: men", "origin: Iranian", "religion: Muslim"}


def test_personal_data_by_group(audit):
    planted = rows({"a": 0.5, "b": 0.5}, 40)
    for row in planted[:7]:
        row["prompt"] += " my address is ali.rezaei@gmail.com"
    groups = audit(planted, {"groups": "group"})["figures"]["groups"]
    assert groups["a"]["personal_rows"] == 7
    assert groups["b"]["personal_rows"] == 0


def test_a_list_of_ones_own(audit, write):
    words = write("words.txt", "# mine\nhand\tleft\tleft-handed\n")
    figures = audit([{"prompt": "a left-handed man", "completion": "x"}], {"groups": {"words": words}})["figures"]
    assert figures["mentions"] == {"hand: left": {"rows": 1, "harmful_rows": 0}}
    with pytest.raises(DataError, match="is no entry"):
        audit([{"prompt": "a", "completion": "x"}], {"groups": {"words": write("bad.txt", "hand left\n")}})
