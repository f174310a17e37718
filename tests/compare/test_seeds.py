"""Several seeds of one recipe: the interval against scipy's, and what is said."""

import numpy as np
import pytest
from scipy import stats

from sevenfold.compare.seeds import over_seeds, sentence


def done(name, seed, gain, **axes):
    figures = {"difference": gain, "direction": "lower"}
    return {"name": name, "values": {"setup.seed": seed, **axes}, "metrics": {"loss": figures}}


def test_the_interval_of_the_mean_is_students():
    gains = [-0.31, -0.27, -0.35, -0.29]
    (found,) = over_seeds([done(f"seed-{i}", i, gain) for i, gain in enumerate(gains)], "loss")
    expected = stats.t.interval(0.95, 3, np.mean(gains), stats.sem(gains))
    assert found["interval"] == pytest.approx(expected)
    assert (found["better"], found["spread"]) == ("yes", pytest.approx(np.std(gains, ddof=1)))
    assert "Over 4 seeds (seed-0, seed-1, seed-2 and seed-3) loss changes by" in sentence(found, "loss")
    assert "the gain survives the seed" in sentence(found, "loss")


def test_ways_are_kept_apart_and_a_single_seed_says_nothing():
    both = [
        done(f"{m}-{s}", s, g, **{"tune.method": m}) for m, s, g in (("lora", 1, -1), ("lora", 2, 1), ("ia3", 1, -1))
    ]
    (found,) = over_seeds(both, "loss")
    assert (found["variants"], found["better"]) == (["lora-1", "lora-2"], "unclear")
    assert "seeds disagree" in sentence(found, "loss")
    assert over_seeds([{"name": "x", "values": {}, "metrics": {}}], "loss") == []


def test_intervals_hold_the_mean_of_endless_seeds():
    draw, held = np.random.default_rng(0), 0
    for _ in range(1000):
        (found,) = over_seeds([done(str(i), i, float(draw.normal(-0.1, 0.05))) for i in range(3)], "loss")
        held += found["interval"][0] <= -0.1 <= found["interval"][1]
    assert 0.925 <= held / 1000 <= 0.975
