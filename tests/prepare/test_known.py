"""Keys beside a plain set; texts as numbers beside a plain list; rows packed beside Arrow's own way."""

from __future__ import annotations

import numpy
import pyarrow
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.codes import Coded
from sevenfold.prepare.dataset import Row, arrow_schema, row_of, stored
from sevenfold.prepare.known import Known
from sevenfold.prepare.packing import packed, unpacked

KEYS = st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=20), max_size=8)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=9), st.sampled_from([0.0, 1.0, 0.5])),
    max_size=3,
)
TEXTS = st.text(max_size=6)
ROWS = st.builds(
    Row,
    st.builds(Conversation, MESSAGES.map(tuple)),
    TEXTS,
    st.dictionaries(TEXTS, TEXTS, max_size=2),
    st.sampled_from(["", "augment"]),
    st.lists(TEXTS, max_size=2).map(tuple),
)


@given(KEYS)
def test_new_keys_are_those_that_a_set_would_not_have(pieces):
    known, plain = Known(), set()
    for piece in pieces:
        expected = []
        for key in piece:
            key = (0, 1) if key == (0, 0) else key
            expected.append(key not in plain)
            plain.add(key)
        assert known.add(numpy.array(piece, dtype=numpy.uint64).reshape(-1, 2)).tolist() == expected


def test_many_keys_grow_the_table_and_stay_known():
    keys = numpy.random.default_rng(1).integers(0, 1 << 63, (40_000, 2), dtype=numpy.uint64)
    known = Known()
    assert all(known.add(part).all() for part in numpy.split(keys, 20))
    assert known.count == 40_000
    assert 21 <= known.table.nbytes / known.count <= 43
    assert not known.add(keys).any()
    assert known.count == 40_000


def test_texts_as_numbers_are_the_texts():
    texts = Coded(["a", "b", "a"])
    texts.extend(["c"])
    texts[1] = "d"
    assert list(texts) == ["a", "d", "a", "c"]
    assert (texts[1], texts[2:], texts.count("a"), "b" in texts, "d" in texts) == ("d", ["a", "c"], 2, False, True)


@settings(deadline=None)
@given(st.lists(ROWS, max_size=4))
def test_packed_rows_are_arrow_s_own(rows):
    plain = pyarrow.RecordBatch.from_pylist([stored(row) for row in rows], schema=arrow_schema())
    batch = packed(rows)
    assert batch.to_pylist() == plain.to_pylist()
    assert unpacked(batch) == [row_of(kept) for kept in plain.to_pylist()] == rows
    assert unpacked(batch.slice(1)) == rows[1:]
