"""Sets that grow together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sevenfold.prepare.union import Union

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(PAIRS, st.randoms())
def test_a_set_is_what_can_be_reached_and_its_name_the_smallest_in_any_order(pairs, generator):
    union, turned = Union[int](), Union[int]()
    shuffled = [tuple(generator.sample(pair, 2)) for pair in generator.sample(pairs, len(pairs))]
    for one, other in pairs:
        union.join(one, other)
    for one, other in shuffled:
        turned.join(one, other)
    reached = {item: {item} for item in range(31)}
    for _ in range(31):
        for one, other in pairs:
            both = reached[one] | reached[other]
            for item in both:
                reached[item] = both
    for item in range(31):
        assert union.root(item) == turned.root(item) == min(reached[item])
    sets = union.sets()
    assert sets == {min(members): sorted(members) for members in reached.values() if len(members) > 1}
