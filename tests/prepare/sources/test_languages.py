from collections import Counter

import pytest

from sevenfold.errors import RecipeError
from sevenfold.prepare.sources.languages import Languages
from tests.prepare.conftest import read_all


def test_every_name_is_of_one_language_alone():
    rows = [row.values for row in read_all(Languages(locales=("de", "es", "fi"), each=50))]
    counts = Counter(row["label"] for row in rows)
    assert counts == {"German": 50, "Spanish": 50, "Finnish": 50}
    assert len({row["text"] for row in rows}) == 150
    every = [row.values for row in read_all(Languages(locales=("de", "es"), each=5000))]
    owners = {row["text"]: row["label"] for row in every}
    assert owners["Frankreich"] == "German"
    assert owners["Francia"] == "Spanish"
    assert "Argentina" not in {row.values["text"] for row in read_all(Languages(locales=("es", "pl", "it"), each=5000))}


def test_another_seed_gives_other_names_and_an_unknown_language_is_refused():
    one, other = ([row.values["text"] for row in read_all(Languages(each=5, seed=seed))] for seed in (1, 2))
    assert one != other
    assert one == [row.values["text"] for row in read_all(Languages(each=5, seed=1))]
    with pytest.raises(RecipeError, match="no language 'xx'"):
        read_all(Languages(locales=("de", "xx")))
