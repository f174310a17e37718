"""Many conversations at once have the ids of each alone, whatever the tokenizer does to texts and spaces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat import ahead
from sevenfold.chat.ahead import ReadAhead
from sevenfold.chat.conversation import Conversation
from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ModelError
from tests import tiny

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEXTS = ["the model reads the data and writes the answer", "سلام دنیا، این یک آزمون است", "Tool call: {x: 1}"] * 10


@dataclass(frozen=True)
class Line:
    conversation: Conversation


def trained(model, normalizer=None, pre_tokenizer=None, **added) -> Encoder:
    """A tokenizer with one way to treat texts, and ChatML's tokens with one way to treat what is beside them."""
    from tokenizers import AddedToken, Tokenizer, models, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(getattr(models, model)(unk_token="<|endoftext|>") if model != "Unigram" else models.Unigram())
    if normalizer:
        inner.normalizer = normalizer
    inner.pre_tokenizer = pre_tokenizer
    tokens = [AddedToken(text, special=True, normalized=False, **added) for text in SPECIAL]
    kinds = {"BPE": trainers.BpeTrainer, "WordPiece": trainers.WordPieceTrainer, "Unigram": trainers.UnigramTrainer}
    more = {"unk_token": "<|endoftext|>"} if model == "Unigram" else {}
    inner.train_from_iterator(TEXTS, kinds[model](vocab_size=150, special_tokens=tokens, show_progress=False, **more))
    inner.add_tokens([AddedToken("Model", normalized=True), AddedToken("<|im_", normalized=False)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=SPECIAL[2])
    tokenizer.chat_template = tiny.CHATML
    return Encoder(tokenizer, [2])


def metaspace(scheme: str):
    from tokenizers import pre_tokenizers

    return pre_tokenizers.Metaspace(prepend_scheme=scheme)


def legacy_llama() -> Encoder:
    from tokenizers import normalizers, pre_tokenizers

    spaces = normalizers.Sequence([normalizers.NFKC(), normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return trained("BPE", spaces, pre_tokenizers.Split("▁", "merged_with_next"))


def bert() -> Encoder:
    from tokenizers import normalizers, pre_tokenizers

    return trained("WordPiece", normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())


def byte_level(**added) -> Encoder:
    from tokenizers import pre_tokenizers

    return trained("BPE", None, pre_tokenizers.ByteLevel(add_prefix_space=True), **added)


MADE: dict[str, Callable[[], Encoder]] = {
    "byte level": byte_level,
    "metaspace first": lambda: trained("BPE", None, metaspace("first")),
    "metaspace always": lambda: trained("Unigram", None, metaspace("always")),
    "legacy llama": legacy_llama,
    "bert": bert,
    "strips behind": lambda: byte_level(rstrip=True),
    "strips before": lambda: byte_level(lstrip=True),
    "single word": lambda: byte_level(single_word=True),
}
PARTS = st.sampled_from(
    [*SPECIAL, "<|im_", " ", "  ", "\n", "Model", "the answer", "سلام", "é", "e\u0301", "x", "🙂", "|>"]
)
CONTENT = st.lists(PARTS, min_size=1, max_size=6).map("".join)
TURNS = st.lists(CONTENT, min_size=2, max_size=7)


def line(contents: list[str], system: bool) -> Line:
    roles = ["system"] * system + ["user", "assistant", "tool", "assistant", "user", "assistant", "user", "assistant"]
    return Line(Conversation.of([{"role": r, "content": c} for r, c in zip(roles, contents, strict=False)]))


@pytest.fixture(scope="module", params=MADE)
def encoder(request) -> Encoder:
    return MADE[request.param]()


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.builds(line, TURNS, st.booleans()), min_size=1, max_size=4))
def test_ids_are_those_of_each_conversation_alone(rows: list[Line], encoder: Encoder) -> None:
    reader = ReadAhead(encoder)
    found = [reader.sequences(row.conversation) for row in reader.over(rows)]
    assert found == [encoder.sequences(row.conversation) for row in rows]


def test_texts_are_cut_where_that_is_sure(encoder: Encoder, request) -> None:
    sure = request.node.callspec.params["encoder"] not in ("strips before", "single word")
    assert (len(ReadAhead(encoder).pieces("a<|im_start|>b<|im_end|>")) == 3) == sure


def test_rows_of_many_chunks_come_in_order_and_each_text_is_tokenised_once(tiny_model, monkeypatch) -> None:
    plain = tiny_model.encoder()
    rows = [line(["Answer shortly.", f"say {n}", f"the answer {n}", "more", "the model"], True) for n in range(40)]
    monkeypatch.setattr(ahead, "CHUNK", 600)
    tokenised: list[str] = []

    class Counting(ReadAhead):
        def tokenised(self, pieces):
            tokenised.extend(pieces)
            return super().tokenised(pieces)

        def texts(self, rows):
            assert len(rows) < 10
            return super().texts(rows)

    reader = Counting(plain)
    out = list(reader.over(rows))
    assert out == rows
    # Two texts of a row are its own; what is shared counts once in each of the chunks.
    assert sum("say" in piece for piece in tokenised) == 40
    assert 5 < sum("Answer shortly." in piece for piece in tokenised) < 20


def test_nothing_is_asked_of_the_tokenizer_for_a_row_that_was_foreseen(tiny_model, monkeypatch) -> None:
    plain = tiny_model.encoder()
    rows = [line(["hello", "the answer", "more", "سلام دنیا"], False)]
    expected = plain.sequences(rows[0].conversation)
    reader = ReadAhead(plain)
    for row in reader.over(rows):
        monkeypatch.setattr(Encoder, "encode", lambda *_: pytest.fail("tokenised again"))
        monkeypatch.setattr(Encoder, "render", lambda *_: pytest.fail("rendered again"))
        assert reader.sequences(row.conversation) == expected


def test_a_refusal_of_the_template_comes_with_its_own_row(tiny_model) -> None:
    plain = Encoder(tiny_model.tokenizer(), tiny_model.stop_ids)
    plain.tokenizer.chat_template = "{% if messages[0]['content'] == 'bad' %}{{ raise_exception('no') }}{% endif %}ok"
    reader = ReadAhead(plain)
    rows = [line([text, "answer"], False) for text in ("good", "bad", "good")]
    for number, row in enumerate(reader.over(rows)):
        if number == 1:
            with pytest.raises(ModelError, match="refuses the conversation: no"):
                reader.sequences(row.conversation)
        else:
            reader.sequences(row.conversation)


def test_virtual_tokens_stand_before_every_sequence(tiny_model) -> None:
    plain = tiny_model.encoder([400, 401])
    rows = [line(["hello", "the answer", "more", "the model"], False) for _ in range(3)]
    reader = ReadAhead(plain)
    found = [reader.sequences(row.conversation) for row in reader.over(rows)]
    assert found == [plain.sequences(row.conversation) for row in rows]
    assert all(sequence.ids[:2] == [400, 401] for sequences in found for sequence in sequences)
