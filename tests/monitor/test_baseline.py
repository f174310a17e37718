from collections import Counter

from sevenfold.monitor.baseline import reservoir


def test_fewer_items_than_places_are_all_kept():
    kept, seen = reservoir(iter("abc"), 10, 0)
    assert (sorted(kept), seen) == (["a", "b", "c"], 3)
    assert reservoir(iter(()), 10, 0) == ([], 0)


def test_every_item_is_kept_equally_often():
    counts = Counter(item for seed in range(2000) for item in reservoir(map(str, range(20)), 5, seed)[0])
    # 500 are expected of each, with a standard deviation of about 19.
    assert all(abs(counts[str(item)] - 500) < 90 for item in range(20))


def test_the_seed_repeats_the_sample():
    items = [str(n) for n in range(100)]
    assert reservoir(items, 10, 3) == reservoir(items, 10, 3)
    assert reservoir(items, 10, 3) != reservoir(items, 10, 4)
