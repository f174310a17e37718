"""Encoders and encoder-decoders are known by their configuration, and get a template where they bring none."""

from __future__ import annotations

import pytest
import torch
import transformers

from sevenfold.chat.conversation import Conversation
from sevenfold.kind import auto_class, headless, kind_of
from sevenfold.load import card
from sevenfold.load.section import LoadSection
from sevenfold.load.stage import load
from sevenfold.record import Entry

ASKED = Conversation.of([{"role": "user", "content": "the data"}, {"role": "assistant", "content": "good"}])


@pytest.mark.parametrize(
    ("config", "fields", "kind"),
    [
        ("LlamaConfig", {}, "causal"),
        ("BertConfig", {}, "encoder"),
        ("BertConfig", {"is_decoder": True}, "causal"),
        ("BertConfig", {"architectures": ["BertLMHeadModel"]}, "causal"),
        ("XLMConfig", {"architectures": ["XLMWithLMHeadModel"]}, "encoder"),
        ("ModernBertConfig", {}, "encoder"),
        ("T5Config", {}, "encoder-decoder"),
        ("BartConfig", {}, "encoder-decoder"),
    ],
)
def test_the_kind_is_what_the_configuration_says(config, fields, kind) -> None:
    made = getattr(transformers, config)(**fields)
    assert kind_of(made) == kind
    assert auto_class(made).__name__.endswith(
        {"causal": "ForCausalLM", "encoder": "ForMaskedLM", "encoder-decoder": "ForSeq2SeqLM"}[kind]
    )


def test_positions_that_begin_behind_the_padding_are_no_places() -> None:
    assert card.context(transformers.BertConfig(max_position_embeddings=512)) == 512
    assert card.context(transformers.RobertaConfig(max_position_embeddings=514, pad_token_id=1)) == 512
    assert card.context(transformers.T5Config()) == card.NO_LIMIT


def test_an_encoder_gets_the_plain_template(tiny_encoder) -> None:
    encoder = tiny_encoder.encoder()
    assert (tiny_encoder.card.kind, tiny_encoder.card.context, tiny_encoder.card.headless) == ("encoder", 512, False)
    assert encoder.render(ASKED.messages, reply_follows=False) == "[CLS]the data[SEP]good[SEP]"
    (sequence,) = encoder.sequences(ASKED)
    assert sequence.ids == encoder.tokenizer("the data", "good")["input_ids"]
    assert tiny_encoder.stop_ids == [encoder.tokenizer.sep_token_id]


def test_weights_without_a_head_get_the_same_one_each_time(tiny_encoder_weights, tmp_path) -> None:
    folder = tmp_path / "headless"
    network = transformers.AutoModel.from_pretrained(tiny_encoder_weights)
    network.save_pretrained(folder)
    for path in tiny_encoder_weights.glob("tokenizer*"):
        (folder / path.name).write_bytes(path.read_bytes())
    assert headless(transformers.AutoConfig.from_pretrained(folder))
    entry = Entry(tmp_path / "2-load")
    entry.folder.mkdir()
    model = load(LoadSection(model=str(folder)), entry)
    assert "no head that fills in" in " ".join(entry.record.notes)
    one, draw = model.network(torch.float32).state_dict(), torch.rand(1)
    other = model.network(torch.float32).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    # What is drawn elsewhere is not drawn again.
    assert draw != torch.rand(1)


def test_an_encoder_decoder_loads(tmp_path) -> None:
    from tests.tiny import make_tokenizer

    folder = tmp_path / "t5"
    config = transformers.T5Config(
        vocab_size=400, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0
    )
    transformers.T5ForConditionalGeneration(config).save_pretrained(folder)
    make_tokenizer(folder, template=None)
    entry = Entry(tmp_path / "2-load")
    entry.folder.mkdir()
    model = load(LoadSection(model=str(folder)), entry)
    assert model.card.kind == "encoder-decoder"
    assert any("plain stands for it" in note for note in entry.record.notes)
    assert model.network(torch.float32).config.is_encoder_decoder
